"""Whether a report says what its case expects."""

from __future__ import annotations

from gradcheck.model import Expectation, Finding, Report, Verdict


def judge(report: Report, expect: Expectation) -> None:
    """Set ``report.expected`` and ``report.surprise``.

    A verdict other than the expected one is a surprise; so is another first finding, where one is expected. An
    expected finding beside the verdict ``pass`` may stand anywhere among the findings.
    """
    report.expect = expect
    report.surprise = _surprise(report, expect)
    report.expected = report.verdict is expect.verdict and not report.surprise


def _surprise(report: Report, expect: Expectation) -> str:
    if report.verdict is not expect.verdict:
        if report.verdict is Verdict.PASS:
            wanted = expect.finding or expect.verdict
            return f"unexpected pass: the case expects {wanted}; if the bug is mended, drop the expectation"
        return "" if expect.verdict is Verdict.PASS else f"expected {expect.verdict}, got {report.verdict}"
    candidates = report.findings
    if report.verdict is Verdict.FAIL:
        candidates = [report.bug] if report.bug is not None else []
    if any(_fits(finding, expect) for finding in candidates):
        return ""
    if expect.finding is None and expect.wrt is None and expect.at is None:
        return ""
    first = candidates[0] if candidates else None
    got = _describe(first.rule, first.wrt if expect.wrt else None, first.at) if first else "no finding"
    return f"expected {_describe(expect.finding or 'a finding', expect.wrt, expect.at)}, got {got}"


def _fits(finding: Finding, expect: Expectation) -> bool:
    return (
        expect.finding in (None, finding.rule) and expect.wrt in (None, finding.wrt) and expect.at in (None, finding.at)
    )


def _describe(rule: str, wrt: str | None, at: str | None) -> str:
    return rule + (f" with respect to {wrt}" if wrt else "") + (f" in {at}" if at else "")
