from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradcheck.errors import UsageError
from gradcheck.model import Place, Report
from gradcheck.report.github import LARGEST_SUMMARY, is_github, write_github, write_summary

from .grids import HOSTILE, hostile
from .samples import SAMPLES, failing, passing

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::([^\r\n]*)")


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


def test_the_smaller_case_is_the_one_to_repeat() -> None:
    text = write_github([SAMPLES["fail-reduced"]])

    assert "%0Arepeat smaller: gradcheck run stale-counter --shape 2,3 --seed 0" in text


def parse(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read commands as the runner does."""
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match is not None, line
        properties = dict(each.split("=", 1) for each in match[2].split(",") if each)
        found.append((match[1], {key: unescape(value) for key, value in properties.items()}, unescape(match[3])))
    return found


def unescape(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_an_annotation_on_the_line_of_the_backward() -> None:
    assert parse(write_github([passing(), failing(), failing(expected=True)])) == [
        (
            "error",
            {
                "file": "cases/documents/axis_softmax.py",
                "line": "31",
                "title": "gradcheck: stale-slice-counter",
            },
            "stale-counter: stale-slice-counter: every slice was given the upstream of slice 0.\n"
            "repeat: gradcheck run cases/documents/axis_softmax.yaml::stale-counter --seed 0",
        )
    ]


def test_nothing_wrong_nothing_said() -> None:
    assert write_github([passing(), failing(expected=True)]) == ""


def test_undecided_is_a_warning() -> None:
    ((level, properties, _),) = parse(write_github([SAMPLES["undecided"]]))

    assert (level, properties) == ("warning", {"title": "gradcheck: undecided"})


def many(number: int) -> list[Report]:
    return [failing(name=f"case-{i}", source=Place("a.py", i + 1)) for i in range(number)]


def test_the_worst_ten_and_how_many_more() -> None:
    reports = [SAMPLES["undecided"], *many(12)]
    reports[-1].inputs[0].error = float("nan")
    found = parse(write_github(reports))

    assert [level for level, _, _ in found] == ["error"] * 10 + ["notice"]
    assert found[0][1]["line"] == "12"
    assert found[-1][2] == "and 3 more cases not as expected"


def test_ten_are_shown_without_more() -> None:
    assert [level for level, _, _ in parse(write_github(many(10)))] == ["error"] * 10


def test_cases_that_fail_alike_share_one() -> None:
    reports = [failing(name=f"stale[axis={axis}]") for axis in range(3)]
    ((_, _, message),) = parse(write_github(reports))

    assert message.splitlines()[1] == "and 2 more cases alike"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_forges_a_command(text: str) -> None:
    ((level, properties, _),) = parse(write_github([hostile(text)]))

    assert level == "error"
    assert set(properties) == {"file", "line", "title"}


def test_paths_start_from_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    ((_, properties, _),) = parse(write_github([failing(source=Place("layers.py", 3))]))

    assert properties["file"] == "project/layers.py"


def test_the_summary_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")

    assert write_summary([failing()], {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text(encoding="utf-8").startswith("before\n# ❌ gradcheck: 1 of 1 case not as expected\n")


def test_the_summary_stays_below_what_github_drops(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("x" * 300_000)
    write_summary([failing(name=f"é{i}", notes=["y" * 2000]) for i in range(500)], {"GITHUB_STEP_SUMMARY": str(path)})
    text = path.read_text(encoding="utf-8")

    assert 800_000 < path.stat().st_size <= LARGEST_SUMMARY
    assert re.search(r"\d+ more cases not as expected left out: the page would be too long\.", text)


def test_a_full_summary_stays_below_it_too(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("x" * (LARGEST_SUMMARY - 100))
    write_summary([failing()] * 5, {"GITHUB_STEP_SUMMARY": str(path)})

    assert path.stat().st_size < 1 << 20


def test_without_a_summary_nothing_is_written() -> None:
    assert not write_summary([failing()], {})


def test_a_summary_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the step summary"):
        write_summary([failing()], {"GITHUB_STEP_SUMMARY": str(tmp_path)})


@pytest.mark.parametrize(("value", "answer"), [("true", True), ("", False), ("false", False)])
def test_where_it_runs(value: str, answer: bool) -> None:
    assert is_github({"GITHUB_ACTIONS": value}) is answer
