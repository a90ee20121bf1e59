"""Which of a finding's evidence is said on a screen."""

from __future__ import annotations

import math

import pytest

from gradcheck.model import Finding, Grid, InputReport, Plain, Severity, Verdict
from gradcheck.report.findings import draw_findings
from gradcheck.report.verdict import agreement


def said(evidence: dict[str, Plain], *also: str) -> list[str]:
    finding = Finding("a-rule", Severity.BUG, "what happened", "mend it", evidence, also=also)
    lines = [line.plain for line in draw_findings([finding], width=200, several=False)]
    assert lines[0] == "  a-rule: what happened"
    assert lines[-1] == "    mend it (gradcheck explain a-rule)"
    return lines[1:-1]


@pytest.mark.parametrize(
    ("evidence", "line"),
    [
        (
            {"truth": 0.94, "explained": 1.8e-11},
            "explains the backward to 1.8e-11; the true gradient differs by 9.4e-01",
        ),
        ({"explained": 0.0, "truth": math.inf}, "explains the backward to 0; the true gradient has another shape"),
        ({"truth": math.nan}, "the true gradient is not finite"),
        ({"ratio": 0.5}, "the backward is 0.5 times the true one"),
        (
            {"ratio": [0.25, 3.0], "same sign": 0.5, "rank": 3, "depends on the upstream": False},
            "the backward is from 0.25 to 3 times the true one; 50 % of the signs agree; the difference of the "
            "Jacobians has rank 3; the difference does not depend on the upstream",
        ),
        ({"second_over_first": 2.0}, "the second call gives 2 times the first"),
    ],
)
def test_what_reads_as_a_sentence(evidence: dict[str, Plain], line: str) -> None:
    assert said(evidence) == [f"    {line}"]


@pytest.mark.parametrize(
    "evidence",
    [{"count": 12, "index": [0, 0]}, {"input": "x"}, {"ratio": "?"}, {"explained": True}, {"ratio": [1]}, {}],
)
def test_what_does_not(evidence: dict[str, Plain]) -> None:
    assert said(evidence) == []


def test_what_would_tell_explanations_apart() -> None:
    assert said({"to tell them apart": "use axes longer than 2"}, "b", "c") == [
        "    also consistent: b, c; to tell them apart, use axes longer than 2"
    ]
    assert said({"to tell them apart": "use axes longer than 2"}) == []


def test_a_link_is_tried_with_an_upstream_of_its_own() -> None:
    finding = Finding("a-rule", Severity.BUG, "what happened", "", {"explained": 0.0}, at="activation")
    lines = [line.plain for line in draw_findings([finding], width=200, several=False)]

    assert lines[1] == "    explains the backward to 0 (in this link, for an upstream of its own)"


def test_zeros_are_told_from_what_is_too_small() -> None:
    part = InputReport("x", (4,), "float64", Verdict.PASS, size=4, compared=4, counts={"pass": 1, "floor": 3})
    assert "(3 tiny)" in agreement(part, short=True)
    part.gradient = Grid((4,), [0.0, 0.0, 1e-30, 1.0], [0.0, 0.0, 0.0, 1.0], [0.0] * 4)
    assert "(2 zero, 1 tiny)" in agreement(part, short=True)
    assert "(2 exactly zero, 1 too small to resolve)" in agreement(part)
