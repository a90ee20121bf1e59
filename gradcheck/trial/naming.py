"""From what is wrong to what it is called: the findings of a case, the best explanation first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.model import Finding, InputReport, Plain, Severity, Status, Verdict
from gradcheck.trial.linearity import Linearity
from gradcheck.trial.subject import Subject

# Where one of these was seen the numbers of a single call mean little, and no rule is asked about them.
MEMORY = frozenset(
    {
        "accumulates-across-calls",
        "division-by-input-at-zero",
        "randomness-resampled-in-backward",
        "remembers-earlier-calls",
        "stale-forward-cache",
        "nan-at-special-point",
        "unstable-backward-overflow",
    }
)
# A rule's name says more than these; they stay only where no rule has a name.
GENERIC = frozenset({"nonlinear-in-upstream", "wrong-shape", "low-precision-underflow", "missing-input-gradient"})


def name_bugs(
    subject: Subject, contract: Sequence[Finding], linearity: Linearity, wrong: set[str], axis: int | None
) -> list[Finding]:
    """Return the findings of a failing case: contract findings and the rules' names for wrong values.

    Parameters
    ----------
    contract
        Findings of the contract checks.
    wrong
        Names of inputs whose gradient is wrong in value, shape or linearity.
    """
    findings = list(contract)
    bugs = {finding.rule for finding in contract if finding.severity is Severity.BUG}
    if not wrong or bugs & MEMORY:
        return order(findings)
    from gradcheck.rules.judgement import explain  # only what fails needs the rules
    from gradcheck.trial.evidence import gather_account, gather_truth, is_small
    from gradcheck.trial.updates import find_updated_parameters

    if not is_small(subject):
        return order(findings)
    truth = gather_truth(subject, axis)
    updated = find_updated_parameters(subject, truth, wrong)
    if updated:
        return order([*updated, *(finding for finding in contract if finding.rule not in GENERIC)])
    account = gather_account(subject, linearity, {finding.rule for finding in contract})
    named = explain(truth, account, wrong=wrong)
    said = {finding.rule for finding in named if finding.severity is Severity.BUG}
    if said - {"mismatch"}:
        findings = [finding for finding in findings if finding.rule not in GENERIC]
    elif bugs & GENERIC:
        named = [finding for finding in named if finding.rule != "mismatch"]
    return order([*named, *(finding for finding in findings if finding.rule not in said)])


def named_or_described(findings: list[Finding], parts: Sequence[InputReport]) -> list[Finding]:
    """Return the findings of a failing case; where no bug is among them, what the reports show of the wrong inputs."""
    if any(finding.severity is Severity.BUG for finding in findings):
        return findings
    return order([*(describe(part) for part in parts if part.verdict is Verdict.FAIL), *findings])


def describe(part: InputReport) -> Finding:
    """Say what a report shows of a wrong gradient that could not be named, as where it is too large to be held."""
    wrong = part.counts.get(Status.FAIL.value, 0) + part.counts.get(Status.NONFINITE.value, 0)
    shown = [entry for entry in part.worst if entry.status in (Status.FAIL, Status.NONFINITE)]
    message = f"{wrong} of {part.compared} entries of {part.name} are wrong"
    if wrong == 1 and shown:
        message = f"1 of {part.compared} entries of {part.name} is wrong: {part.name}{list(shown[0].index)}"
    elif 0 < part.slices_wrong < part.slices_total:
        message += f", in {part.slices_wrong} of {part.slices_total} slices"
    ratios = [entry.analytic / entry.numeric for entry in shown if entry.numeric and np.isfinite(entry.numeric)]
    facts: dict[str, Plain] = {"entries": f"{wrong} of {part.compared}"}
    if ratios and np.all(np.isfinite(ratios)):
        facts["ratio"] = [float(min(ratios)), float(max(ratios))]
        facts["same sign"] = float(np.mean(np.array(ratios) > 0))
    remedy = "the case is too large for a name: make it smaller, so that it still fails, or look at what is wrong there"
    return Finding("mismatch", Severity.BUG, message, remedy, facts, wrt=part.name)


def order(findings: Sequence[Finding]) -> list[Finding]:
    """Bugs first, then warnings, then notes; within each, in the order they were found."""
    rank = {Severity.BUG: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    return sorted(findings, key=lambda finding: rank[finding.severity])
