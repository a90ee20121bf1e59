from __future__ import annotations

import math
from dataclasses import replace

import pytest
from lxml.html import document_fromstring as fromstring

from gradcheck.model import Counts, Finding, Place, Severity, Verdict
from gradcheck.report.html import write_html
from gradcheck.report.markdown import write_markdown
from gradcheck.report.terminal import draw
from gradcheck.report.verdict import agreement
from gradcheck.report.words import (
    calls_of,
    cost_of,
    error_of,
    facts_of,
    name_of,
    outcome_of,
    rows_of,
    say,
    sum_up,
    tolerance_of,
    worst_first,
)

from .samples import SAMPLES, STALE, failing, passing, right, wrong


@pytest.mark.parametrize(
    ("sample", "name", "said"),
    [
        ("fail", "stale-slice-counter", "stale-slice-counter: every slice was given the upstream of slice 0."),
        ("fail-in-chain", "sign-error", "sign-error in activation: the gradient is negated."),
        ("fail-nonfinite", "gradient-mismatch", "2 of 6 entries of x not finite; the backward returned nan at x[0, 1]"),
        (
            "error",
            "layer-error",
            "backward raised ValueError: operands could not be broadcast together with shapes (4,3) (4,4)",
        ),
        ("undecided", "undecided", "The measurement cannot tell whether the gradient is right"),
        (
            "pass-unexpected",
            "unexpected-pass",
            "unexpected pass: the case expects stale-slice-counter; if the bug is mended, drop the expectation",
        ),
        ("pass", "unexpected-pass", ""),
    ],
)
def test_one_line_on_a_report(sample: str, name: str, said: str) -> None:
    assert (name_of(SAMPLES[sample]), say(SAMPLES[sample])) == (name, said)


def test_a_surprise_comes_first() -> None:
    assert say(failing(surprise="expected a, got b")).startswith("expected a, got b; stale-slice-counter: ")


def test_worst_first() -> None:
    small, large = failing(name="small"), failing(name="large")
    small.inputs[0].error, large.inputs[0].error = 0.1, math.nan
    order = worst_first([passing(), SAMPLES["error"], SAMPLES["undecided"], small, large])

    assert [report.name for report in order] == ["large", "small", "node-softmax", "noisy", "softmax"]
    assert error_of(large) == math.inf
    assert error_of(SAMPLES["error"]) == 0


def test_sum_up_and_tolerance() -> None:
    part = wrong()

    assert sum_up(part) == "11 of 20 entries of x wrong, in 3 of 4 slices; at least 93 % off at x[1, 3]"
    assert tolerance_of(part) == ("minimum tolerance that would pass", "atol=1.3e-03 at x[1, 3] or rtol=9.5e-01")
    part.minimum_atol = part.minimum_rtol = None
    assert tolerance_of(part) == ("", "")


def test_all_entries_and_a_single_number() -> None:
    part = wrong()
    part.counts, part.slices_wrong = {"fail": 20}, 4
    assert sum_up(part) == "all 20 entries of x wrong; at least 93 % off at x[1, 3]"
    (scalar,) = SAMPLES["fail-scalar"].inputs
    assert sum_up(scalar) == "x is wrong; at least 49 % off"
    assert tolerance_of(scalar)[1] == "atol=1.0e+00 or rtol=5.0e-01"


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (
            {"fail": 11, "nonfinite": 2, "kink": 1},
            "11 of 20 entries of x wrong, in 3 of 4 slices, 2 not finite, 1 at a kink",
        ),
        ({"nonfinite": 20}, "all 20 entries of x not finite"),
        ({}, "x is wrong"),
    ],
)
def test_every_kind_is_counted(counts: dict[str, int], said: str) -> None:
    part = wrong()
    part.counts = counts
    assert sum_up(part) == f"{said}; at least 93 % off at x[1, 3]"


def test_no_tolerance_passes_what_is_no_number() -> None:
    part = wrong()
    part.worst[0].analytic = math.nan
    assert tolerance_of(part) == ("no tolerance would pass", "")
    part.verdict = Verdict.UNDECIDED
    assert tolerance_of(part) == ("", "")


def test_what_is_not_wrong_has_its_own_outcome() -> None:
    (doubtful,) = SAMPLES["undecided"].inputs
    (zeros,) = SAMPLES["undecided-vacuous"].inputs
    assert outcome_of(doubtful) == (
        "arr: 3 of 4 entries cannot be decided: the error bound of the measurement is wider than the difference"
    )
    assert outcome_of(zeros) == agreement(zeros)
    assert outcome_of(right()).startswith("20 entries agree, worst 3.1e-11")


def test_cost() -> None:
    assert cost_of(failing()) == [
        "full mode",
        "48 forward and 21 backward calls",
        "seed 0",
        "backward at cases/documents/axis_softmax.py:31",
    ]
    assert cost_of(SAMPLES["error"]) == ["1 forward and 1 backward call", "seed 0"]
    assert cost_of(failing(source=Place("a.py")))[-1] == "backward at a.py"
    assert calls_of(Counts(40, 3, points=380)) == "40 forward (at 380 points) and 3 backward"
    assert calls_of(Counts(12345, 0, points=12345)) == "12,345 forward and 0 backward"


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "hostile"])
def test_screen_page_and_summary_say_the_same(name: str) -> None:
    report = replace(SAMPLES[name], expected=False)  # what is as expected is folded away in the summary
    screen = draw(report, width=1000, verbose=1)
    summary = write_markdown([report]).replace("\\", "")
    page = " ".join(fromstring(write_html([report])).text_content().split())
    said = [", ".join(cost_of(report))]
    for part in report.inputs:
        said += [outcome_of(part)] if part.verdict in (Verdict.FAIL, Verdict.UNDECIDED) and not part.vacuous else []
        said += filter(None, [": ".join(filter(None, tolerance_of(part)))])
    for text in said:
        assert text in screen
        assert text in summary
    for text in [*said[1:], calls_of(report.counts)]:
        assert text in page or text[0].upper() + text[1:] in page


def test_facts() -> None:
    evidence = {"ratio": 2.0, "truth": 0.5, "explained": 0.0, "laws": ["a", 1], "linear": False, "none": None}
    assert facts_of(Finding("r", Severity.BUG, "m", "", evidence)) == [  # type: ignore[arg-type]
        ("explains the backward to", "0"),
        ("the true gradient differs by", "5.0e-01"),
        ("ratio", "2"),
        ("laws", "[a, 1]"),
        ("linear", "no"),
    ]
    assert facts_of(STALE)[0] == ("explains the backward to", "1.8e-11")


def test_rows() -> None:
    rows, rest = rows_of(wrong(), 2)
    assert [(row.label, row.wrong, row.bad) for row in rows] == [("x[1, :]", "5/5", True), ("x[3, :]", "5/5", True)]
    assert rest == "and 2 more slices, 1 of them wrong"
    rows, rest = rows_of(SAMPLES["fail-no-slices"].inputs[0], 10)
    assert [row.label for row in rows] == ["x[1, 3]", "x[3, 0]", "x[2, 0]", "x[0, 2]"]
    assert (rest, rows[-1].bad) == ("", False)
    assert rows_of(SAMPLES["fail-nonfinite"].inputs[0], 1)[0][0].remark == "not finite"


def test_a_verdict_without_inputs() -> None:
    assert say(failing(findings=[], inputs=[], verdict=Verdict.FAIL)) == "the gradient is wrong"
