from __future__ import annotations

import json
import re
from base64 import b64decode
from hashlib import sha256
from typing import Any

import lxml.html
import pytest

import gradcheck.report.html as html
from gradcheck.errors import UsageError
from gradcheck.report.escape import visible
from gradcheck.report.html import write_html

from .grids import HOSTILE, all_reports, drawn, hostile, hostile_error, jacobian
from .samples import SAMPLES, failing, passing

OURS = {
    "a", "b", "body", "button", "circle", "code", "dd", "details", "div", "dl", "dt", "figcaption", "figure",
    "footer", "g", "h1", "h2", "h3", "h4", "head", "header", "html", "input", "kbd", "label", "li", "main", "meta",
    "noscript", "option", "output", "p", "path", "pre", "rect", "script", "section", "select", "span", "style",
    "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "ul",
}  # fmt: skip


def parse(page: str) -> Any:
    return lxml.html.document_fromstring(page)


def text_of(element: Any) -> str:
    return " ".join(element.text_content().split())


def test_the_page_needs_no_network() -> None:
    root = parse(write_html(all_reports()))

    assert not root.xpath("//@src | //link | //img | //iframe | //object | //base | //form")
    assert [each for each in root.xpath("//@href") if not each.startswith("#")] == []
    style = root.xpath("//style")[0].text
    assert "url(" not in style
    assert "@import" not in style


def test_only_its_own_script_and_style_may_run() -> None:
    page = write_html([failing()])
    root = parse(page)
    policy = root.xpath("//meta[@http-equiv]/@content")[0]
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)

    assert policy.startswith("default-src 'none'; ")
    allowed = dict(re.findall(r"(script|style)-src 'sha256-([^']+)'", policy))
    assert b64decode(allowed["script"]) == sha256(script.encode()).digest()
    assert b64decode(allowed["style"]) == sha256(style.encode()).digest()
    assert not root.xpath("//*[@style]")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_forges_markup(text: str) -> None:
    plain = parse(write_html([hostile("x"), hostile_error("x")]))
    root = parse(write_html([hostile(text), hostile_error(text)]))

    assert {each.tag for each in root.iter() if isinstance(each.tag, str)} <= OURS
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on")]
    assert not root.xpath("//comment()")
    for tag in ("li", "p", "td", "script", "pre", "button"):
        assert len(root.xpath(f"//{tag}")) == len(plain.xpath(f"//{tag}")), tag
    assert root.xpath("//li[@class='case']")[0].get("data-name") == visible(text)
    assert "\x1b" not in write_html([hostile(text)])


def test_everything_is_said_without_scripts() -> None:
    root = parse(write_html([passing(), failing(place=None), SAMPLES["error"], SAMPLES["pass-warning"]]))
    failing_case = text_of(root.xpath("//li[@data-name='stale-counter']")[0])

    assert text_of(root.xpath("//h1")[0]) == "gradcheck 2 of 4 cases not as expected"
    for text in (
        "FAIL",
        "every slice was given the upstream of slice 0.",
        "explains the backward to1.8e-11",
        "Remedy: advance the index with the slice",
        "11 of 20 entries of x wrong, in 3 of 4 slices; at least 93 % off at x[1, 3]",
        "Minimum tolerance that would pass: atol=1.3e-03 at x[1, 3] or rtol=9.5e-01",
        "missing-one-over-n would not show: the batch has one sample, so that 1/N is 1; use at least two samples",
        "gradcheck run cases/documents/axis_softmax.yaml::stale-counter --seed 0",
        "backwardcases/documents/axis_softmax.py:31",
    ):
        assert text in failing_case
    rows = [[text_of(cell) for cell in row] for row in root.xpath("//li[@data-name='stale-counter']//tbody/tr")]
    assert rows[0] == ["x[1, :]", "9.4e-01", "[1, 3]", "0.0311206", "0.0018412", "2e-12", "5/5"]
    assert "ValueError: operands" in text_of(root.xpath("//li[@data-name='node-softmax']")[0])
    assert "overflow-in-forward" in text_of(root.xpath("//li[@data-name='softmax'][@data-warned='1']")[0])


def test_what_is_not_as_expected_comes_first() -> None:
    root = parse(write_html([passing(name="a"), failing(name="b"), passing(name="c"), failing(name="d")]))

    assert root.xpath("//li[@class='case']/@data-name") == ["b", "d", "a", "c"]
    assert root.xpath("//li[@class='case']/@data-place") == ["2", "4", "1", "3"]


def test_buttons_count_what_there_is() -> None:
    root = parse(write_html([passing(), failing(), failing(expected=True), SAMPLES["pass-warning"]]))

    assert [text_of(button) for button in root.xpath("//div[@role='group']/button")] == [
        "not as expected 1",
        "pass 2",
        "fail 2",
        "with warnings 1",
    ]


def maps(page: str) -> list[dict[str, Any]]:
    return [json.loads(each.text) for each in parse(page).xpath("//figure/script")]


def test_heat_maps_hold_the_numbers() -> None:
    report = drawn()
    (told,) = maps(write_html([report]))
    grid = report.inputs[0].gradient

    assert grid is not None
    assert (told["name"], told["shape"], told["axis"]) == ("x", [4, 5], 1)
    assert told["analytic"] == pytest.approx(grid.analytic, rel=1e-8)
    assert told["wrong"] == grid.wrong != []


def test_numbers_that_json_lacks_are_texts() -> None:
    (odd,) = [report for report in all_reports() if report.name == "not-finite"]
    (told,) = maps(write_html([odd]))

    assert told["analytic"] == ["nan", "inf", "-inf", 1.0, 0.0, -0.0]


def test_wrong_entries_are_known_from_the_table_where_the_grid_does_not_say() -> None:
    report = drawn()
    assert report.inputs[0].gradient is not None
    report.inputs[0].gradient.wrong = []
    (told,) = maps(write_html([report]))

    assert told["wrong"] == [8, 10, 15]


def test_maps_that_do_not_fit_are_left_out_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST_CELLS", 30)
    page = write_html([drawn("first", expected=True), drawn("second")])

    assert len(maps(page)) == 1
    assert parse(page).xpath("//figure/ancestor::li/@data-name") == ["second"]
    assert "The heat map of the gradient (4 by 5) is left out" in page


def test_without_jinja_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        write_html([passing()])

    assert str(caught.value) == (
        "the HTML page needs Jinja2, which is not installed\n  = help: pip install 'gradcheck[html]'"
    )


def test_same_reports_same_page() -> None:
    assert write_html(all_reports()) == write_html(all_reports())


def test_no_reports() -> None:
    assert text_of(parse(write_html([])).xpath("//h1")[0]) == "gradcheck 0 cases as expected"


@pytest.mark.parametrize(
    ("cells", "jacobians", "drawn_ones"), [(439, 400, 0), (440, 400, 1), (900, 400, 1), (900, 800, 2)]
)
def test_no_gradient_is_left_out_for_a_jacobian(
    monkeypatch: pytest.MonkeyPatch, cells: int, jacobians: int, drawn_ones: int
) -> None:
    monkeypatch.setattr(html, "MOST_CELLS", cells)
    monkeypatch.setattr(html, "MOST_JACOBIANS", jacobians)
    reports = [drawn("a"), drawn("b")]
    for report in reports:
        report.inputs[0].jacobian = jacobian()
    told = maps(write_html(reports))

    assert [each["shape"] for each in told].count([4, 5]) == 2
    assert [each["outputs"] for each in told].count([[3, 5], [5]]) == drawn_ones


def test_what_agrees_is_cut_alike() -> None:
    report = drawn(shape=(1, 2))
    grid = report.inputs[0].gradient
    assert grid is not None
    # the ninth digit of the two would differ although they are 1e-13 apart
    grid.analytic, grid.numeric = [0.12345678949995, 1.0], [0.12345678950005, 1.1]
    grid.bound, grid.wrong = [1.234e-11, 1e-11], [1]
    (told,) = maps(write_html([report]))

    assert told["analytic"][0] == told["numeric"][0]
    assert told["analytic"][1] != told["numeric"][1]
    assert told["bound"][0] == 1.3e-11
