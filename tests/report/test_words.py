from __future__ import annotations

import math

import pytest

from gradcheck.model import Finding, Severity, Verdict
from gradcheck.report.words import error_of, facts_of, name_of, rows_of, say, sum_up, tolerance_of, worst_first

from .samples import SAMPLES, STALE, failing, passing, wrong


@pytest.mark.parametrize(
    ("sample", "name", "said"),
    [
        ("fail", "stale-slice-counter", "stale-slice-counter: every slice was given the upstream of slice 0."),
        ("fail-in-chain", "sign-error", "sign-error in activation: the gradient is negated."),
        ("fail-nonfinite", "gradient-mismatch", "2 not finite"),
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
    assert tolerance_of(part) == "abs=1.3e-03 or rel=9.5e-01 at x[1, 3]"
    part.minimum_atol = part.minimum_rtol = None
    assert tolerance_of(part) == ""


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
