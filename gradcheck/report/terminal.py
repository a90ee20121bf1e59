"""The screen of a case: verdict, table, findings, tolerance, blind spot, cost, and how to repeat it."""

from __future__ import annotations

import math
from typing import Literal

from gradcheck.model import InputReport, Report, Severity, Status, Verdict
from gradcheck.report import numbers
from gradcheck.report.escape import disarm, visible, visible_lines
from gradcheck.report.findings import draw_blind, draw_findings
from gradcheck.report.ink import FAINT, SEVERITIES, STRONG, Line, paint, render
from gradcheck.report.layout import GLUE, wrap
from gradcheck.report.table import draw_table
from gradcheck.report.verdict import INDENT as UNDER
from gradcheck.report.verdict import VACUOUS, commands_of, draw_agreements, draw_pass, draw_verdict, is_vacuous

NARROWEST = 20
INDENT = "  "
OUTPUT_LINES = 10


def draw(
    report: Report,
    *,
    width: int = 80,
    color: bool = False,
    show: int | Literal["all", "heatmap"] = 10,
    brief: bool = False,
    verbose: int = 0,
    debug: bool = False,
    blocks: bool = True,
) -> str:
    """Return what a person sees of one case, without a newline at its end.

    Parameters
    ----------
    report
        The case.
    width
        Cells of the screen. Prose is broken between words; numbers, names, paths and commands are never broken, so
        that a line may be longer than a very narrow screen.
    color
        Whether to add escape sequences for colour. The words are the same with and without.
    show
        Largest number of rows in a table, or ``all``; ``heatmap`` adds a shaded map of every entry.
    brief
        Whether a case that is as expected is one line, whatever its verdict.
    verbose
        From 1 on a pass too has its table and its cost.
    debug
        Whether the layer's own traceback is shown.
    blocks
        Whether the screen has block characters for a heat map.
    """
    width = max(width, NARROWEST)
    rows = {"all": None, "heatmap": 10}[show] if isinstance(show, str) else show
    maps: list[list[Line]] = []
    if show == "heatmap":
        from gradcheck.report.heatmap import draw_heatmap

        maps = [draw_heatmap(part, width=width, blocks=blocks) for part in report.inputs]
    # whoever prints it, in a test or from a program
    return disarm(render(_screen(report, width, rows, maps, brief, verbose, debug), color=color))


def _screen(
    report: Report, width: int, show: int | None, maps: list[list[Line]], brief: bool, verbose: int, debug: bool
) -> list[Line]:
    short = verbose < 1 and not maps
    if report.verdict is Verdict.PASS and short:
        return _short_pass(report, width, brief=brief)
    if brief and report.expected and short:
        return draw_verdict(report, width, brief=True)
    blocks = [draw_pass(report, width) if report.verdict is Verdict.PASS else draw_verdict(report, width)]
    if report.surprise:
        blocks[0] += _surprise(report, width, INDENT)
    if report.verdict is Verdict.ERROR:
        blocks += [_what_happened(report, width), _output(report)]
    if debug:
        blocks.append([Line(f"{INDENT}{line}") for line in visible_lines(report.trace)])
    if report.verdict is Verdict.UNDECIDED:
        blocks.append(_reasons(report, width))
    blocks += [_input(part, width, show) for part in report.inputs if verbose or part.verdict is not Verdict.PASS]
    if report.verdict is not Verdict.PASS:
        # Beside what is undecided, zeros that agree say nothing.
        silent = report.verdict is Verdict.UNDECIDED
        rest = [part for part in report.inputs if part.verdict is Verdict.PASS and not (silent and part.vacuous)]
        blocks.append(draw_agreements(rest, width, INDENT) if rest and not verbose else [])
    blocks += maps
    blocks.append(draw_findings(report.findings, width=width, several=len(report.inputs) > 1))
    notes = [] if report.verdict is Verdict.UNDECIDED else _notes(report, width)
    blocks.append(notes + draw_blind(report.blind, report.name, width=width) + _cost(report, width))
    return _apart(blocks)


def _short_pass(report: Report, width: int, *, brief: bool) -> list[Line]:
    """A pass: one line (per input), and under it only what a person must know all the same."""
    lines = draw_pass(report, width, brief=brief)
    if report.surprise:
        lines += _surprise(report, width, UNDER)
        lines += _repeat(report, UNDER)
    for finding in report.findings:
        if brief and finding.rule == report.expect.finding:
            continue
        lead = f"{'' if finding.severity is Severity.BUG else f'{finding.severity}: '}{visible(finding.rule)}:"
        page = GLUE.join(["(gradcheck", "explain", f"{visible(finding.rule)})"])
        text = wrap(f"{lead.replace(' ', GLUE)} {visible(finding.message)} {page}", width, UNDER, UNDER + INDENT)
        lines += paint(text, lead, SEVERITIES[finding.severity])
    lines += _notes(report, width, UNDER)
    return lines + draw_blind(report.blind, report.name, width=width, indent=UNDER, brief=brief)


def _surprise(report: Report, width: int, indent: str) -> list[Line]:
    text = f"not as expected: {visible(report.surprise)}"
    return paint(wrap(text, width, indent, indent + INDENT), "not as expected:", STRONG)


def _what_happened(report: Report, width: int) -> list[Line]:
    lines: list[Line] = []
    for text in visible_lines(report.error) or ["no reason was given"]:
        # An excerpt with its caret, or a hint, is already laid out; only plain sentences are wrapped.
        laid_out = text.startswith(" ") or " | " in text
        lines += [Line(INDENT + text)] if laid_out else paint(wrap(text, width, INDENT, INDENT * 2))
    return lines


def _output(report: Report) -> list[Line]:
    lines = visible_lines(report.output)
    if not lines:
        return []
    drawn = [Line(f"{INDENT}its last output:", FAINT)]
    if len(lines) > OUTPUT_LINES:
        drawn.append(Line(f"{INDENT * 2}| ... {numbers.plural(len(lines) - OUTPUT_LINES, 'line')} before", FAINT))
    return drawn + [Line(f"{INDENT * 2}| ", FAINT).add(line) for line in lines[-OUTPUT_LINES:]]


def _reasons(report: Report, width: int) -> list[Line]:
    """Say why nothing can be said: in the words of the trial, or from the numbers."""
    lines: list[str] = []
    for note in report.notes:
        lines += wrap(visible(note), width, INDENT, INDENT * 2)
    parts = [part for part in report.inputs if part.size]
    if is_vacuous(report):
        lines += wrap(VACUOUS, width, INDENT, INDENT * 2)
    for part in parts:
        undecided = part.counts.get("undecided", 0)
        if undecided:
            text = (
                f"{visible(part.name)}: {numbers.count(undecided)} of {numbers.plural(part.size, 'entry', 'entries')} "
                f"cannot be decided: {_why(part)}"
            )
            lines += wrap(text, width, INDENT, INDENT * 2)
    return paint(lines)


def _why(part: InputReport) -> str:
    """Why entries are undecided, as far as those that are shown say it."""
    shown = [entry for entry in part.worst if entry.status is Status.UNDECIDED]
    if any(not math.isfinite(entry.analytic) for entry in shown):
        return "the backward is no number where the outputs are none"
    if any(abs(entry.analytic - entry.numeric) > entry.bound for entry in shown):
        return "one measurement disagrees, and measurements at other steps do not confirm it"
    return "the error bound of the measurement is wider than the difference"


def _input(part: InputReport, width: int, show: int | None) -> list[Line]:
    """One input's table, what it adds up to, and which tolerance would have passed."""
    if part.verdict is Verdict.UNDECIDED and part.vacuous:
        return []
    lines = draw_table(part, width=width, show=show)
    if part.verdict is not Verdict.FAIL:
        return lines
    if lines:
        lines.append(Line())
    lines += paint(wrap(_sum_up(part), width, INDENT, INDENT * 2))
    return lines + _tolerance(part, width)


def _sum_up(part: InputReport) -> str:
    said: list[str] = []
    wrong = part.counts.get("fail", 0)
    name = visible(part.name)
    if wrong and wrong == part.size:
        said.append(
            f"all {numbers.plural(wrong, 'entry', 'entries')} of {name} wrong" if wrong > 1 else f"{name} is wrong"
        )
    elif wrong:
        said.append(f"{numbers.count(wrong)} of {numbers.plural(part.size, 'entry', 'entries')} of {name} wrong")
        if part.slices_total > 1:
            said.append(f"in {numbers.count(part.slices_wrong)} of {numbers.plural(part.slices_total, 'slice')}")
    for status, words in (("nonfinite", "not finite"), ("undecided", "undecided"), ("kink", "at a kink")):
        if part.counts.get(status):
            said.append(f"{numbers.count(part.counts[status])} {words}")
    text = ", ".join(said)
    certain = _certain(part)
    return "; ".join(filter(None, [text, certain])) or f"{name} is wrong"


def _certain(part: InputReport) -> str:
    entry = part.worst[0] if part.worst else part.slices[0].worst if part.slices else None
    if entry is None:
        return ""
    where = visible(part.name) + numbers.at(entry.index)
    if not math.isfinite(entry.analytic):
        return f"the backward returned {entry.analytic} at {where}"
    if not math.isfinite(entry.numeric):
        return f"the measurement is {entry.numeric} at {where}"
    if not math.isfinite(entry.at_least) or entry.at_least <= 0:
        return ""
    return f"at least {numbers.percent(entry.at_least)} off at {where}"


def _tolerance(part: InputReport, width: int) -> list[Line]:
    asked = (("abs", part.minimum_atol), ("rel", part.minimum_rtol))
    given = [f"[{kind}={numbers.round_up(value, 2)}]" for kind, value in asked if value is not None]
    finite = [value for _, value in asked if value is not None and math.isfinite(value)]
    if not given:
        return []
    if not finite:
        return [Line(f"{INDENT}no tolerance would have passed")]
    where = f"at {visible(part.name)}{numbers.at(part.minimum_at)}" if part.minimum_at is not None else ""
    lead, answer = f"{INDENT}minimum tolerance that would have passed:", f"{' or '.join(given)} {where}".rstrip()
    line = Line(f"{lead} {answer}")
    return [line] if line.width <= width else [Line(lead), Line(INDENT * 2 + answer)]


def _notes(report: Report, width: int, indent: str = INDENT) -> list[Line]:
    return [
        line
        for note in report.notes
        for line in paint(wrap(f"note: {visible(note)}", width, indent, indent + INDENT), "note:", FAINT)
    ]


def _cost(report: Report, width: int) -> list[Line]:
    counts = report.counts
    said = [f"{visible(report.mode)} mode"] if report.mode else []
    said.append(f"{numbers.forwards(counts)} and {numbers.plural(counts.backwards, 'backward call')}")
    said.append(f"seed {report.seed}")
    if report.source is not None:
        line = f":{report.source.line}" if report.source.line else ""
        said.append(f"backward at {visible(report.source.file)}{line}")
    lines = paint(wrap(", ".join(text.replace(" ", GLUE) for text in said), width, INDENT, INDENT * 2), others=FAINT)
    return lines + (_repeat(report, INDENT) if report.verdict is not Verdict.PASS else [])


def _repeat(report: Report, indent: str) -> list[Line]:
    # Never wrapped: it is there to be copied.
    return [Line(f"{indent}{lead}: ", FAINT).add(command) for lead, command in commands_of(report)]


def _apart(blocks: list[list[Line]]) -> list[Line]:
    """Put a blank line between blocks that have something to say."""
    lines: list[Line] = []
    for block in blocks:
        if block:
            lines += [Line(), *block] if lines else block
    return lines
