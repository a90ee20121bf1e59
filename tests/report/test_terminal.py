"""What every screen promises, whatever the report and the width."""

from __future__ import annotations

import copy
import re
import subprocess
import sys

import pytest

from gradcheck.model import Expectation, Report, Verdict
from gradcheck.report.layout import cells
from gradcheck.report.summary import draw_summary
from gradcheck.report.terminal import draw

from .samples import NASTY, SAMPLES, failing, passing, right, wrong

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]\d+)?(?![\w.])")
SGR = re.compile(r"\x1b\[[0-9;]*m")


def numbers_on(screen: str) -> list[str]:
    return sorted(NUMBER.findall(screen))


@pytest.mark.parametrize("width", [1, 20, 33, 50, 80, 81, 140, 400])
@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"hostile"}))
def test_no_number_is_cut_at_any_width(name: str, width: int) -> None:
    screen = draw(SAMPLES[name], width=width)
    wide = draw(SAMPLES[name], width=10_000)

    if SAMPLES[name].verdict is not Verdict.PASS:
        assert set(numbers_on(screen)) == set(numbers_on(wide))
    assert "…" not in screen


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"hostile"}))
def test_80_columns_are_enough_but_for_the_command_to_copy(name: str) -> None:
    lines = [line for line in draw(SAMPLES[name]).split("\n") if not line.lstrip().startswith("repeat")]

    assert [line for line in lines if cells(line) > 80] == []


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("name", SAMPLES)
def test_color_changes_no_character(name: str, width: int) -> None:
    colored = draw(SAMPLES[name], width=width, color=True)

    assert SGR.sub("", colored) == draw(SAMPLES[name], width=width)


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_in_a_report_is_obeyed(name: str) -> None:
    screen = draw(SAMPLES[name], verbose=1, debug=True)

    assert all(char.isprintable() or char in "\n\u3000" for char in screen)


def test_brackets_are_not_eaten() -> None:
    screen = draw(SAMPLES["hostile"], color=True)

    shown = "soft[bold]max[/x] [axis=1]\\x1b[31m\\u202e\\n\\x00é漢字🎉"
    assert NASTY not in screen
    assert SGR.sub("", screen).count(shown) > 10


@pytest.mark.parametrize(
    ("verdict", "word"), [("fail", "FAIL  "), ("pass", "PASS  "), ("undecided", "UNDECIDED  "), ("error", "ERROR  ")]
)
def test_the_verdict_is_a_word(verdict: str, word: str) -> None:
    assert draw(SAMPLES[verdict]).startswith(word)


def test_a_pass_is_one_line() -> None:
    for width in (80, 100, 140):
        assert "\n" not in draw(passing(), width=width)


def test_wide_characters_keep_the_columns() -> None:
    part = wrong("漢字")
    lines = draw(failing(inputs=[part]), width=100).split("\n")[2:7]
    ends = {cells(line) for line in lines}

    assert len(ends) == 1


def test_a_negligible_difference_is_visible_in_the_digits() -> None:
    line = next(line for line in draw(failing()).split("\n") if line.startswith("  x[2, :]"))

    assert "-1.2345678e-05  -1.2345699e-05" in line


def test_show_limits_the_rows() -> None:
    report = SAMPLES["fail-many-slices"]

    assert draw(report, show=3).count("0, :]") == 3
    assert "... and 997 more slices, 22 of them wrong (--show all)" in draw(report, show=3)
    assert draw(report, show="all").count("0, :]") == 30
    assert "... and 970 more slices (not kept)" in draw(report, show="all")


def test_brief_is_one_line_for_what_is_expected() -> None:
    assert draw(failing(expected=True), brief=True, width=100) == (
        "FAIL  stale-counter   axis 1   x (4, 5) float64   stale-slice-counter   as expected"
    )
    assert draw(failing(), brief=True) == draw(failing())


def test_brief_leaves_out_what_does_not_fit() -> None:
    report = failing(name="documents/stale-counter[shape=4x5]", expected=True)

    assert draw(report, brief=True) == (
        "FAIL  documents/stale-counter[shape=4x5]  axis 1  stale-slice-counter\n      as expected"
    )
    assert draw(passing(name="documents/softmax[shape=3x4x5]", axis=None), brief=True) == (
        "PASS  documents/softmax[shape=3x4x5]  20 agree to 3.1e-11 (x40), sees 2e-07"
    )
    assert "\n" not in draw(failing(name="documents/stale-counter", expected=True), brief=True)


def test_brief_keeps_warnings_unless_they_are_expected_and_names_the_blind_spot() -> None:
    report = SAMPLES["pass-warning"]
    blind = "      blind spot: missing-one-over-n"

    assert draw(report, brief=True).split("\n")[1].startswith("      warning: overflow-in-forward: the forward")
    assert draw(report, brief=True).split("\n")[-1] == blind
    known = copy.copy(report)
    known.expect = Expectation(Verdict.PASS, "overflow-in-forward")
    known.blind = known.blind * 3
    assert draw(known, brief=True).split("\n")[1:] == [blind + " and 2 more"]


def test_the_axis_is_said_once() -> None:
    assert "axis 1 " not in draw(passing(name="softmax[axis=1]"), width=200)


def test_a_pass_that_was_not_expected_says_so() -> None:
    assert "not as expected: unexpected pass" in draw(SAMPLES["pass-unexpected"])


def test_an_undecided_case_says_why() -> None:
    assert "3 of 4 entries cannot be decided" in draw(SAMPLES["undecided"])
    assert "  the gradient is zero, analytic and numeric alike:" in draw(SAMPLES["undecided-vacuous"])


def test_zeros_on_both_sides_are_the_reason_whatever_else_is_noted() -> None:
    report = copy.copy(SAMPLES["undecided-vacuous"])
    report.notes = ["a complex step settled entries of arr that differences cannot resolve"]

    assert draw(report).count("a complex step settled entries") == 1
    assert "analytic and numeric alike" in draw(report)
    part, empty = copy.copy(report.inputs[0]), copy.copy(report.inputs[0])
    part.vacuous, empty.size = False, 0
    report.inputs = [report.inputs[0], part]
    assert "analytic and numeric alike" not in draw(report)
    report.inputs = [empty]
    assert "analytic and numeric alike" not in draw(report)


def test_a_resolution_beyond_the_gradient_itself_is_no_number() -> None:
    assert draw(passing(inputs=[right(resolution=46.0)]), width=200).endswith("; would have seen nothing")


def test_an_error_shows_the_end_of_the_output_and_the_trace_only_on_request() -> None:
    plain, debug = draw(SAMPLES["error"]), draw(SAMPLES["error"], debug=True)

    assert "| line 11" in plain
    assert "| line 2\n" not in plain
    assert "Traceback" not in plain
    assert '  File "nodes.py", line 7' in debug


def test_an_error_keeps_an_excerpt_and_its_help_as_laid_out() -> None:
    text = "mine.py:3: argument 'a'\n  |\n3 | def f(a, b):   # longer than the width of the screen\n  = help: bind it"
    screen = draw(Report("x", Verdict.ERROR, error=text), width=30)

    assert "\n  3 | def f(a, b):   # longer than the width of the screen\n    = help: bind it" in screen


def test_a_report_without_anything() -> None:
    assert draw(Report("empty", Verdict.PASS)) == "PASS  empty"
    assert draw(Report("empty", Verdict.FAIL)).startswith("FAIL  empty")
    assert draw(Report("empty", Verdict.ERROR)).split("\n")[2] == "  no reason was given"


def test_the_summary_counts() -> None:
    reports = [passing(), failing(), failing(expected=True), SAMPLES["error"], SAMPLES["undecided-vacuous"]]

    assert draw_summary(reports, width=200) == (
        "not as expected:\n"
        "  FAIL  stale-counter   stale-slice-counter\n"
        "  ERROR  node-softmax   backward raised ValueError: operands could not be broadcast together with shapes (4,3)"
        " (4,4)\n"
        "\n"
        "5 cases: 1 passed, 2 failed (1 as expected), 1 undecided (as expected), 1 error, "
        "189 forward and 52 backward calls"
    )


def test_the_summary_of_an_interrupted_run() -> None:
    assert draw_summary([passing()], total=7, interrupted=True) == (
        "interrupted after 1 of 7 cases: 1 passed, 52 forward and 5 backward calls"
    )
    assert draw_summary([passing()], total=7).startswith("stopped after 1 of 7 cases: ")
    assert draw_summary([], total=7, interrupted=True).startswith("interrupted after 0 of 7 cases: 0 forward and 0")


def test_a_summary_of_unexpected_passes() -> None:
    reports = [SAMPLES["pass-unexpected"], passing()]

    assert "2 cases: 2 passed (1 not as expected)," in draw_summary(reports)


def test_several_dtypes_are_all_said() -> None:
    report = passing(inputs=[right("x"), right("y", (5,), "float32")], verdict=Verdict.FAIL, findings=[])

    assert draw(report, width=200).startswith("FAIL  softmax   axis 1   x (4, 5) float64, y (5,) float32")


def test_plain_screens_cost_no_rich() -> None:
    code = (
        "import sys; from gradcheck.report.terminal import draw; from gradcheck.model import Report, Verdict;"
        "draw(Report('x', Verdict.FAIL)); print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'rich', 'numpy', 'click', 'yaml', 'pydantic'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
