"""The first line of a case, and the line of an input that agrees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from gradcheck.model import InputReport, Report, Status, Verdict
from gradcheck.report import numbers
from gradcheck.report.escape import visible
from gradcheck.report.ink import FAINT, STRONG, VERDICTS, WRONG, Line, join_fields, paint
from gradcheck.report.layout import cells, pad_left, pad_right, wrap

INDENT = "      "

Way: TypeAlias = "tuple[list[Line], str]"
"""Fields, and the gap between them."""


VACUOUS = "the gradient is zero, analytic and numeric alike: a wrong backward may return the same zeros"


def commands_of(report: Report) -> list[tuple[str, str]]:
    """Return the commands that repeat a case, the one that shows its bug at the smallest shape first."""
    smaller = report.reduced.repeat if report.reduced is not None else ""
    commands = (("repeat smaller", smaller), ("repeat", report.repeat))
    return [(lead, visible(command)) for lead, command in commands if command]


def is_vacuous(report: Report) -> bool:
    """Whether everything that was compared is zero on both sides, so that the agreement says nothing."""
    parts = [part for part in report.inputs if part.size]
    return bool(parts) and all(part.vacuous for part in parts)


def draw_verdict(report: Report, width: int, *, brief: bool = False) -> list[Line]:
    """Return the verdict line: verdict, name, axis, the inputs concerned, the bug.

    Where it is too long it takes two lines, or, if it is to be ``brief``, leaves the inputs out first.
    """
    concerned = [part for part in report.inputs if part.verdict is report.verdict] or report.inputs
    inputs = [Line(_signature(concerned))] if concerned else []
    said: list[Line] = []
    bug = report.bug
    if report.verdict is Verdict.FAIL and bug is not None:
        said.append(Line(bug.rule + (f" in {bug.at}" if bug.at else ""), WRONG))
    if report.verdict is not Verdict.PASS and report.expected:
        said.append(Line("as expected", FAINT))
    ways = [([*_head(report), *inputs, *said], "   "), ([*_head(report), *inputs, *said], "  ")]
    if brief:
        ways.append(([*_head(report), *said], "  "))
    return _first_that_fits(ways, width, last=ways[-1])


def draw_pass(report: Report, width: int, *, brief: bool = False) -> list[Line]:
    """Return a pass: one line with its margin and resolution, or a line per input where there are several.

    Where the line is longer than the screen shorter wordings are tried before it is broken.
    """
    head = _head(report)
    if len(report.inputs) != 1:
        return join_fields(head, width, "   ", INDENT) + draw_agreements(report.inputs, width, INDENT)
    part = report.inputs[0]
    signature, long, short = _signature([part]), agreement(part), agreement(part, short=True)
    ways = [
        ([*head, Line(signature), Line(long)], "   "),
        ([*head, Line(signature), Line(short)], "   "),
        ([*head, Line(signature), Line(short)], "  "),
        ([*head, Line(signature.removesuffix(" float64")), Line(short)], "  "),
    ]
    if brief:
        ways.append(([*head, Line(short)], "  "))
    lines = _first_that_fits(ways, width, last=ways[0])
    if len(lines) == 1:
        return lines
    return join_fields([*head, Line(signature)], width, "   ", INDENT) + paint(wrap(long, width, INDENT))


def _first_that_fits(ways: Sequence[Way], width: int, *, last: Way) -> list[Line]:
    """Set fields in the first of several ways that takes one line, else in the last resort."""
    for fields, gap in ways:
        lines = join_fields(fields, width, gap, INDENT)
        if len(lines) == 1:
            return lines
    return join_fields(last[0], width, last[1], INDENT)


def draw_agreements(parts: Sequence[InputReport], width: int, indent: str) -> list[Line]:
    """Return a line per input that agrees, its columns set below each other."""
    names = [visible(part.name) for part in parts]
    kinds = [f"{numbers.shape(part.shape)} {part.dtype}" for part in parts]
    name_width, kind_width = max(map(cells, names), default=0), max(map(cells, kinds), default=0)
    rows: list[Line] = []
    for short in (False, True):
        said = [agreement(part, short=short) for part in parts]
        counted = [text.partition(" ")[0] for text in said]
        digits = max((len(text) for text in counted if text[:1].isdigit()), default=0)
        said = [
            pad_left(n, digits) + text[len(n) :] if n[:1].isdigit() else text
            for n, text in zip(counted, said, strict=True)
        ]
        rows = [
            Line(f"{indent}{pad_right(name, name_width)}  {pad_right(kind, kind_width)}  {text}")
            for name, kind, text in zip(names, kinds, said, strict=True)
        ]
        if all(row.width <= width for row in rows):
            return rows
    rows = []
    for name, kind, part in zip(names, kinds, parts, strict=True):
        rows += join_fields([Line(f"{indent}{name}"), Line(kind)], width, "  ", indent + "  ")
        rows += paint(wrap(agreement(part), width, indent + "  "))
    return rows


def agreement(part: InputReport, *, short: bool = False) -> str:
    """Say what was compared, how well it agrees, how far the limit is, and what would have been seen."""
    if part.size == 0:
        return "empty, nothing to compare"
    counts = part.counts
    agreed = sum(counts.get(status.value, 0) for status in (Status.PASS, Status.FLOOR, Status.KINK))
    undecided = counts.get(Status.UNDECIDED.value, 0)
    floor = counts.get(Status.FLOOR.value, 0)
    zeros = min(floor, _zeros(part))
    asides = [
        f"{numbers.count(number)} {brief if short else words}"
        for number, words, brief in (
            (counts.get(Status.KINK.value, 0), "at a kink", "kink"),
            (zeros, "exactly zero", "zero"),
            (floor - zeros, "too small to resolve", "tiny"),
        )
        if number
    ]
    if undecided:
        asides.append(f"{numbers.count(undecided)} undecided")
    total = numbers.count(part.size)
    if not part.compared and not agreed:
        text = f"{total} agree along directions" if short else f"{total} entries agree along random directions"
    else:
        number = numbers.count(agreed) if not undecided else f"{numbers.count(agreed)} of {total}"
        verb = "agree" if part.size != 1 else "agrees"
        text = f"{number} {verb}" if short else f"{number} {'entries' if part.size != 1 else 'entry'} {verb}"
    if asides:
        text += f" ({', '.join(asides)})"
    limit = ""
    if part.margin is not None and part.error > 0:
        limit = f" ({numbers.times(part.margin)})" if short else f" (limit {numbers.times(part.margin)})"
    worst = numbers.relative(part.error)
    text += f" to {worst}{limit}" if short else f", worst {worst}{limit}"
    if part.resolution is not None:
        # Where not even an error of 100 % would have shown, a number says too much.
        seen = numbers.round_up(part.resolution) if part.resolution < 1 else "nothing"
        text += f", sees {seen}" if short else f"; would have seen {seen}"
    return text


def _zeros(part: InputReport) -> int:
    """Count entries that are zero on both sides, as far as the report keeps them."""
    grid = part.gradient
    if grid is None:
        return 0
    return sum(analytic == 0 == numeric for analytic, numeric in zip(grid.analytic, grid.numeric, strict=True))


def _head(report: Report) -> list[Line]:
    verdict = Line(str(report.verdict).upper(), VERDICTS[report.verdict]).add("  ").add(report.name, STRONG)
    # A variant's name says its axis already.
    named = "axis=" in report.name.partition("[")[2]
    return [verdict] if report.axis is None or named else [verdict, Line(f"axis {report.axis}")]


def _signature(parts: Sequence[InputReport]) -> str:
    """Return ``x (4, 5) float64``, and for several inputs all of them, a common dtype only once."""
    dtypes = {part.dtype for part in parts}
    if len(dtypes) == 1:
        return ", ".join(f"{part.name} {numbers.shape(part.shape)}" for part in parts) + f" {parts[0].dtype}"
    return ", ".join(f"{part.name} {numbers.shape(part.shape)} {part.dtype}" for part in parts)
