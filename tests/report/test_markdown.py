from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gradcheck.report.escape import visible
from gradcheck.report.markdown import write_markdown
from gradcheck.report.markup import JOINER, block, code, prose, table

from .grids import HOSTILE, all_reports, hostile, hostile_error
from .samples import NASTY, SAMPLES, failing, passing

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
PLAIN = {"text", "softbreak", "code_inline"}
OURS = ["<details><summary>", "</details>"]


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    for token in PARSER.parse(text):
        found += [token, *(token.children or [])]
    return found


def rendered(text: str) -> str:
    return "".join(token.content for token in tokens(text) if token.type in PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        NASTY,
        "# no heading",
        "- no list",
        "+ nor this",
        "1. nor this",
        "2) nor this",
        "= no",
        "> no quote",
        "snake_case_ and *stars*",
        "    no code",
        "~~~",
        "***",
        "\\",
        "&amp;",
        "a  ",
    ],
)
def test_prose_renders_as_the_text_itself(text: str) -> None:
    written = prose(text)

    assert rendered(written).replace(JOINER, "") == visible(text).strip()
    assert {token.type for token in tokens(written)} <= {"paragraph_open", "inline", "text", "paragraph_close"}


def test_numbers_are_left_alone() -> None:
    assert prose("1.9e+00 at x - 3 % of (a), 2/3: yes") == "1.9e+00 at x - 3 % of (a), 2/3: yes"


def test_nobody_is_called_and_nothing_is_linked() -> None:
    assert prose("@someone") == f"@{JOINER}someone"
    assert prose("see https://a.example or www.a.example") == "see https\\://a.example or www\\.a.example"


@pytest.mark.parametrize("text", [*HOSTILE, NASTY, "`", "``a`", " a", "a|b\\|c"])
def test_code_shows_the_text_itself(text: str) -> None:
    (inside,) = [token for token in tokens(f"x {code(text)}") if token.type == "code_inline"]
    assert inside.content.strip() == visible(text).strip()
    cells = tokens(table(["a", "b"], [[code(text, table=True), "y"]]))
    assert [t.content.strip() for t in cells if t.type == "code_inline"] == [visible(text).strip()]
    assert sum(t.type == "td_open" for t in cells) == 2


def test_a_block_cannot_be_left() -> None:
    (fence,) = [token for token in tokens(block("a\n```\n````\n# b")) if token.type == "fence"]

    assert fence.content == "a\n```\n````\n# b\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_forges_markup(text: str) -> None:
    page = write_markdown([hostile(text), hostile_error(text), passing()])
    found = tokens(page)

    html = [token.content for token in found if token.type.startswith("html")]
    assert all(any(piece.startswith(ours) for ours in OURS) for piece in html), html
    assert not {token.type for token in found} & {"link_open", "image", "hr", "blockquote_open"}
    assert sum(token.type == "heading_open" for token in found) == 3


def test_what_is_wrong_comes_first_and_the_rest_is_folded() -> None:
    page = write_markdown([passing(), failing(), failing(name="known", expected=True)])

    assert page.startswith("# ❌ gradcheck: 1 of 3 cases not as expected\n")
    assert page.index("stale-counter") < page.index("<details><summary>2 cases as expected</summary>")
    assert "| `x[1, :]` | 9.4e-01 | \\[1, 3\\] | 0.0311206 | 0.0018412 | 2e-12 | 5/5 |  |" in page
    assert "**stale-slice-counter** (with respect to `x`): every slice was given the upstream of slice 0." in page
    assert "minimum tolerance that would pass: atol=1.3e-03 at x\\[1, 3\\] or rtol=9.5e-01" in page


def test_all_as_expected() -> None:
    assert write_markdown([passing(), passing(name="b")]).startswith("# ✅ gradcheck: all 2 cases as expected\n")


def test_every_table_is_a_table() -> None:
    page = write_markdown(all_reports())
    rows = [line for line in page.splitlines() if line.startswith("| ")]

    assert sum(token.type == "tr_open" for token in tokens(page)) == sum(not line.startswith("| ---") for line in rows)


def test_what_a_layer_printed_is_shown() -> None:
    page = write_markdown([SAMPLES["error"]])

    assert "ValueError: operands could not be broadcast" in page
    assert "\\x1b[2Jcleared" in page


@pytest.mark.parametrize("largest", [2_000, 5_000, 50_000])
def test_it_stays_below_its_cap(largest: int) -> None:
    reports = [failing(name=f"é-{i}") for i in range(300)]
    page = write_markdown(reports, largest=largest)

    assert len(page.encode("utf-8")) <= largest
    assert "left out: the page would be too long" in page
