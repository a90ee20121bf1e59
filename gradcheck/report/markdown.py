"""A run as Markdown, as hosts of repositories show it: what is not as expected first, the rest folded away."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.model import Finding, InputReport, Report, Severity, Verdict
from gradcheck.report import numbers
from gradcheck.report.markup import block, code, prose, table
from gradcheck.report.summary import draw_summary
from gradcheck.report.verdict import commands_of
from gradcheck.report.words import (
    Row,
    cost_of,
    error_of,
    facts_of,
    name_of,
    outcome_of,
    rows_of,
    say,
    signature,
    tolerance_of,
    worst_first,
)

ICONS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.UNDECIDED: "❔", Verdict.ERROR: "💥"}
ROWS = 10
RESERVE = 400
"""Bytes kept for what is said at the end."""


def write_markdown(reports: Sequence[Report], largest: int | None = None) -> str:
    """Return the run as Markdown.

    Parameters
    ----------
    reports
        The reports of the run.
    largest
        Bytes that the text may have; what does not fit is left out, and it is said how much that is.
    """
    surprising = worst_first([report for report in reports if not report.expected])
    blocks = [_title(len(reports), len(surprising)), prose(draw_summary(reports, width=10_000).rpartition("\n")[2])]
    page = _Page(largest, blocks)
    if len(reports) > 1:
        page.add_table(surprising)
    left = sum(not page.add(_section(report)) for report in surprising)
    if left:
        page.close(f"{numbers.plural(left, 'more case')} not as expected left out: the page would be too long.")
    rest = [report for report in reports if report.expected]
    if rest:
        page.add(_folded(rest))
    return page.text


class _Page:
    """Blocks of text that together stay below a number of bytes."""

    def __init__(self, largest: int | None, blocks: list[str]) -> None:
        self.blocks = blocks
        self.room = None if largest is None else largest - RESERVE - sum(map(_size, blocks))

    @property
    def text(self) -> str:
        return "\n\n".join(self.blocks) + "\n"

    def add(self, text: str) -> bool:
        if self.room is not None:
            if _size(text) > self.room:
                return False
            self.room -= _size(text)
        self.blocks.append(text)
        return True

    def add_table(self, reports: Sequence[Report]) -> None:
        """Add the overview, at most half as long as the page."""
        most, half = len(reports), None if self.room is None else self.room // 2
        while most and half is not None and _size(_overview(reports[:most])) > half:
            most //= 2
        if most:
            self.add(_overview(reports[:most]))

    def close(self, text: str) -> None:
        self.blocks.append(prose(text))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace")) + 2


def _title(total: int, surprising: int) -> str:
    if not surprising:
        return f"# ✅ gradcheck: {'all ' if total > 1 else ''}{numbers.plural(total, 'case')} as expected"
    return f"# ❌ gradcheck: {numbers.count(surprising)} of {numbers.plural(total, 'case')} not as expected"


def _overview(reports: Sequence[Report]) -> str:
    rows = []
    for report in reports:
        place = report.source or report.place
        at = code(f"{place.file}:{place.line}" if place.line else place.file, table=True) if place else ""
        error = numbers.relative(error_of(report)) if report.inputs else ""
        verdict = f"{ICONS[report.verdict]} {report.verdict}"
        rows.append([verdict, code(report.name, table=True), code(name_of(report), table=True), error, at])
    return table(["verdict", "case", "finding", "rel. error", "backward"], rows, "   r")


def _section(report: Report) -> str:
    parts = [f"## {ICONS[report.verdict]} {str(report.verdict).upper()} {code(report.name)}"]
    if report.surprise:
        parts.append(f"**not as expected:** {prose(report.surprise)}")
    if report.verdict is Verdict.ERROR:
        parts.append(block(report.error))
        parts += [f"its last output:\n\n{block(report.output)}"] if report.output else []
    elif report.verdict is not Verdict.PASS and report.bug is None:
        parts.append(prose(say(report)))
    parts += [_finding(finding) for finding in report.findings]
    parts += [_input(part) for part in report.inputs]
    parts += [f"note: {prose(note)}" for note in report.notes]
    parts += [
        f"blind spot: {code(spot.rule)} would not show: {prose(spot.cause)}; {prose(spot.cure)}"
        for spot in report.blind[:1]
    ]
    parts.append(prose(", ".join(cost_of(report))))
    commands = [command for _, command in commands_of(report)]
    parts += [block("\n".join(commands))] if commands else []
    return "\n\n".join(parts)


def _finding(finding: Finding) -> str:
    lead = "" if finding.severity is Severity.BUG else f"{finding.severity}: "
    where = f" in {code(finding.at)}" if finding.at else ""
    where += f" (with respect to {code(finding.wrt)})" if finding.wrt else ""
    lines = [f"- {lead}**{prose(finding.rule)}**{where}: {prose(finding.message)}"]
    facts = [f"{prose(label)} {prose(value)}" for label, value in facts_of(finding)]
    lines += [f"  - {'; '.join(facts)}"] if facts else []
    lines += [f"  - also consistent: {', '.join(code(rule) for rule in finding.also)}"] if finding.also else []
    lines += [f"  - {prose(finding.remedy)}"] if finding.remedy else []
    return "\n".join(lines)


def _input(part: InputReport) -> str:
    texts = [f"{code(signature(part))}: {prose(outcome_of(part))}"]
    if part.verdict is Verdict.PASS:
        return texts[0]
    rows, rest = rows_of(part, ROWS)
    if rows:
        head = ["slice", "rel. error", "at", "analytic", "numeric", "± bound", "wrong", ""]
        texts.append(table(head, [_cells(row) for row in rows], " r rrrr"))
    texts += [prose(rest)] if rest else []
    tolerance = ": ".join(filter(None, tolerance_of(part)))
    texts += [prose(tolerance)] if tolerance else []
    return "\n\n".join(texts)


def _cells(row: Row) -> list[str]:
    values = [prose(text) for text in (row.error, row.at, row.analytic, row.numeric, row.bound, row.wrong)]
    return [code(row.label, table=True), *values, row.remark]


def _folded(reports: Sequence[Report]) -> str:
    rows = []
    for report in reports:
        bug = report.bug
        said = code(bug.rule, table=True) if report.verdict is Verdict.FAIL and bug is not None else ""
        rows.append([f"{ICONS[report.verdict]} {report.verdict}", code(report.name, table=True), said])
    title = f"{numbers.plural(len(reports), 'case')} as expected"
    return f"<details><summary>{title}</summary>\n\n{table(['verdict', 'case', 'finding'], rows)}\n\n</details>"
