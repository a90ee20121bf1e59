"""What is as expected, and what is a surprise."""

from __future__ import annotations

import pytest

from gradcheck.model import Expectation, Finding, Report, Severity, Verdict
from gradcheck.trial.expectation import judge

BUG = Finding("sign-error", Severity.BUG, "negated", wrt="x", at="cost")
OTHER = Finding("factor-two", Severity.BUG, "halved", wrt="y")
WARNING = Finding("overflow-in-forward", Severity.WARNING, "overflows")


@pytest.mark.parametrize(
    ("verdict", "findings", "expect", "surprise"),
    [
        ("pass", [], Expectation(), ""),
        ("fail", [BUG], Expectation(Verdict.FAIL), ""),
        ("fail", [BUG, OTHER], Expectation(Verdict.FAIL, "sign-error"), ""),
        ("fail", [BUG, OTHER], Expectation(Verdict.FAIL, "sign-error", "x", "cost"), ""),
        ("fail", [WARNING, BUG], Expectation(Verdict.FAIL, "sign-error"), ""),
        ("fail", [OTHER, BUG], Expectation(Verdict.FAIL, "sign-error"), "expected sign-error, got factor-two"),
        (
            "fail",
            [OTHER, BUG],
            Expectation(Verdict.FAIL, "sign-error", "x"),
            "expected sign-error with respect to x, got factor-two with respect to y",
        ),
        ("fail", [OTHER], Expectation(Verdict.FAIL, at="cost"), "expected a finding in cost, got factor-two"),
        ("fail", [], Expectation(Verdict.FAIL, "sign-error"), "expected sign-error, got no finding"),
        (
            "pass",
            [],
            Expectation(Verdict.FAIL, "sign-error"),
            "unexpected pass: the case expects sign-error; if the bug is mended, drop the expectation",
        ),
        ("undecided", [], Expectation(Verdict.FAIL), "expected fail, got undecided"),
        ("pass", [WARNING], Expectation(finding="overflow-in-forward"), ""),
        ("pass", [], Expectation(finding="overflow-in-forward"), "expected overflow-in-forward, got no finding"),
    ],
)
def test_judge(verdict, findings, expect, surprise):
    report = Report("case", Verdict(verdict), findings=findings)

    judge(report, expect)

    assert report.surprise == surprise
    assert report.expected == (not surprise)


def test_a_plain_failure_is_not_expected_and_needs_no_words():
    report = Report("case", Verdict.FAIL, findings=[BUG])

    judge(report, Expectation())

    assert not report.expected
    assert report.surprise == ""
