"""From what is wrong to what it is called: the findings of a case, the best explanation first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array
from gradcheck.model import Finding, Severity
from gradcheck.trial.contract import found
from gradcheck.trial.linearity import Linearity
from gradcheck.trial.subject import Subject

if TYPE_CHECKING:
    from gradcheck.rules.truth import Truth

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


def order(findings: Sequence[Finding]) -> list[Finding]:
    """Bugs first, then warnings, then notes; within each, in the order they were found."""
    rank = {Severity.BUG: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    return sorted(findings, key=lambda finding: rank[finding.severity])


def find_updated_parameters(subject: Subject, truth: Truth, wrong: set[str]) -> list[Finding]:
    """Look whether a gradient is right for the inputs as the backward left them: an optimiser's step came too early."""
    first = subject.first
    if first is None or not first.after:
        return []
    findings = []
    changed = ", ".join(first.after)
    for name in sorted(wrong & set(subject.gradients)):
        elsewhere = truth.measure(name, first.after, {})
        gradient = subject.gradients[name].ravel()
        if elsewhere is None or elsewhere.shape != truth.jacobians[name].shape:
            continue
        size = float(np.linalg.norm(gradient)) or 1.0
        explained = float(np.linalg.norm(elsewhere.T @ truth.g - gradient)) / size
        off = float(np.linalg.norm(truth.jacobians[name].T @ truth.g - gradient)) / size
        if explained < 1e-6 < 1e-2 * off:
            message = f"the gradient of {name} is right for {changed} as the backward left it, not as it was given"
            findings.append(
                found(
                    "uses-updated-parameters",
                    message,
                    "compute all gradients first, and take the optimiser's step outside of the backward",
                    wrt=name,
                    explained=explained,
                    truth=off,
                )
            )
    return findings or find_steps(subject, truth, wrong)


def find_steps(subject: Subject, truth: Truth, wrong: set[str]) -> list[Finding]:
    """Look for a step of the optimiser between uses of a parameter: it moved by a multiple of its own gradient.

    The gradients are right then for upstreams so small that the step does not matter, which is the other evidence.
    """
    first = subject.first
    steps = {} if first is None else {name: _rate(subject, name, after) for name, after in first.after.items()}
    rates = {name: rate for name, rate in steps.items() if rate is not None}
    suspects = sorted(wrong & set(subject.gradients))
    if not rates or not suspects:
        return []
    small = 1e-6
    try:
        seen = subject.vjp(subject.scaled_upstream(small))
    except LayerError:
        return []
    findings = []
    for name in suspects:
        true = truth.jacobians[name].T @ truth.g
        size = float(np.linalg.norm(true))
        if name not in seen or not size:
            continue
        explained = float(np.linalg.norm(seen[name].ravel() / small - true)) / size
        off = float(np.linalg.norm(subject.gradients[name].ravel() - true)) / size
        if explained < 1e-3 * off:
            moved, rate = next(((key, value) for key, value in rates.items() if key != name), next(iter(rates.items())))
            message = f"{moved} was moved by {rate:.6g} times its gradient while the gradient of {name} was computed"
            findings.append(
                found(
                    "uses-updated-parameters",
                    message,
                    "compute all gradients first, and take the optimiser's step outside of the backward",
                    wrt=name,
                    explained=explained,
                    truth=off,
                )
            )
    return findings


def _rate(subject: Subject, name: str, after: Array) -> float | None:
    """Return c where the backward moved an input by c times its gradient, at least in two entries."""
    gradient = subject.gradients.get(name)
    if gradient is None or gradient.shape != after.shape:
        return None
    step = np.asarray(after, np.float64) - np.asarray(subject.given[name], np.float64)
    size = float(np.vdot(gradient, gradient))
    if np.count_nonzero(step) < 2 or not np.isfinite(size) or not size:
        return None
    rate = float(np.vdot(gradient, step)) / size
    grain = 64 * subject.unit(name) * float(np.abs(subject.given[name]).max())
    close = np.abs(step - rate * gradient).max() <= 1e-6 * np.abs(step).max() + grain
    return rate if close and rate else None
