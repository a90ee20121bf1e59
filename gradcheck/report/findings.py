"""Findings with their evidence and remedy, and what the case could not have seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeGuard

from gradcheck.model import BlindSpot, Finding, Plain, Severity
from gradcheck.report import numbers
from gradcheck.report.escape import visible
from gradcheck.report.ink import FAINT, SEVERITIES, Line, paint
from gradcheck.report.layout import GLUE, wrap

INDENT = "  "


def draw_findings(findings: Sequence[Finding], *, width: int, several: bool) -> list[Line]:
    """Return the findings, a blank line between them.

    Parameters
    ----------
    findings
        The best explanation first.
    width
        Cells of the screen.
    several
        Whether the case has several inputs, so that each finding says of which one it is.
    """
    lines: list[Line] = []
    for number, finding in enumerate(findings):
        if number:
            lines.append(Line())
        lines += _draw_finding(finding, width, several=several)
    return lines


def draw_blind(
    blind: Sequence[BlindSpot], name: str, *, width: int, indent: str = INDENT, brief: bool = False
) -> list[Line]:
    """Return the worst blind spot, and how many more there are; ``brief``: only its name."""
    if not blind:
        return []
    worst = blind[0]
    if brief:
        more = f" and {numbers.count(len(blind) - 1)} more" if len(blind) > 1 else ""
        return [Line(f"{indent}blind spot: ", FAINT).add(worst.rule).add(more, FAINT)]
    cure = f"; {visible(worst.cure)}" if worst.cure else ""
    text = f"blind spot: {visible(worst.rule)} would not show: {visible(worst.cause)}{cure}"
    if len(blind) > 1:
        text += f" ({numbers.count(len(blind) - 1)} more: {_command('audit', name)})"
    return paint(wrap(text, width, indent, indent + INDENT), "blind spot:", FAINT)


def _draw_finding(finding: Finding, width: int, *, several: bool) -> list[Line]:
    severity = "" if finding.severity is Severity.BUG else f"{finding.severity}: "
    where = f" in {visible(finding.at)}" if finding.at else ""
    where += f" (with respect to {visible(finding.wrt)})" if several and finding.wrt else ""
    lead = f"{severity}{visible(finding.rule)}{where}:"
    inner = INDENT * 2
    lines = paint(
        wrap(f"{lead.replace(' ', GLUE)} {visible(finding.message)}", width, INDENT, inner),
        lead,
        SEVERITIES[finding.severity],
    )
    evidence = _evidence(finding.evidence)
    if evidence and finding.at:
        evidence += " (in this link, for an upstream of its own)"
    for text in (evidence, _also(finding)):
        if text:
            lines += paint(wrap(text, width, inner, inner + INDENT))
    page = f"({_command('explain', finding.rule)})"
    remedy = f"{visible(finding.remedy)} {page}" if finding.remedy else page
    return lines + paint(wrap(remedy, width, inner, inner + INDENT))


def _evidence(evidence: dict[str, Plain]) -> str:
    """Say in a line what of the evidence reads as one; all of it stands in the forms for machines."""
    said = [_SENTENCES[key](evidence[key]) for key in _SENTENCES if key in evidence]
    return "; ".join(filter(None, said))


def _explained(value: Plain) -> str:
    return f"explains the backward to {numbers.relative(value)}" if _is_number(value) else ""


def _truth(value: Plain) -> str:
    if not _is_number(value):
        return ""
    if math.isinf(value):
        return "the true gradient has another shape"
    if math.isnan(value):
        return "the true gradient is not finite"
    return f"the true gradient differs by {numbers.relative(value)}"


def _ratio(value: Plain) -> str:
    if _is_number(value):
        return f"the backward is {numbers.significant(value, 6)} times the true one"
    if isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)):
        ends = [float(each) for each in value if isinstance(each, (int, float))]
        low, high = (numbers.significant(each, 3) for each in ends)
        if low == high:
            return _ratio(sum(ends) / 2)
        return f"the backward is from {low} to {high} times the true one"
    return ""


def _signs(value: Plain) -> str:
    return f"{numbers.percent(value) if value else '0 %'} of the signs agree" if _is_number(value) else ""


def _rank(value: Plain) -> str:
    return f"the difference of the Jacobians has rank {value}" if _is_number(value) else ""


def _upstream(value: Plain) -> str:
    return "" if value is True else "the difference does not depend on the upstream" if value is False else ""


def _growth(value: Plain) -> str:
    return f"the second call gives {numbers.significant(value, 3)} times the first" if _is_number(value) else ""


def _is_number(value: Plain) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_SENTENCES: dict[str, Callable[[Plain], str]] = {
    "explained": _explained,
    "truth": _truth,
    "ratio": _ratio,
    "same sign": _signs,
    "rank": _rank,
    "depends on the upstream": _upstream,
    "second_over_first": _growth,
}
"""Evidence that reads as a sentence, in its order; the rest repeats the message, or means something to a program."""


def _also(finding: Finding) -> str:
    if not finding.also:
        return ""
    apart = finding.evidence.get("to tell them apart")
    how = f"; to tell them apart, {visible(apart)}" if isinstance(apart, str) else ""
    return f"also consistent: {', '.join(map(visible, finding.also))}{how}"


def _command(verb: str, name: str) -> str:
    return GLUE.join(["gradcheck", verb, visible(name)])
