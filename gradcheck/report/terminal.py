"""The screen of a case: verdict, table, findings, tolerance, blind spot, cost, and how to repeat it."""

from __future__ import annotations

from typing import Literal

from gradcheck.model import InputReport, Report, Severity, Verdict
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
    from gradcheck.report.words import doubt_of  # what passes has a line of its own, and starts without

    lines: list[str] = []
    for note in report.notes:
        lines += wrap(visible(note), width, INDENT, INDENT * 2)
    said = [VACUOUS] if is_vacuous(report) else []
    for text in [*said, *filter(None, map(doubt_of, report.inputs))]:
        lines += wrap(text, width, INDENT, INDENT * 2)
    return paint(lines)


def _input(part: InputReport, width: int, show: int | None) -> list[Line]:
    """One input's table, what it adds up to, and which tolerance would pass."""
    from gradcheck.report.words import sum_up, tolerance_of

    if part.verdict is Verdict.UNDECIDED and part.vacuous:
        return []
    lines = draw_table(part, width=width, show=show)
    if part.verdict is not Verdict.FAIL:
        return lines
    if lines:
        lines.append(Line())
    lines += paint(wrap(sum_up(part), width, INDENT, INDENT * 2))
    lead, answer = tolerance_of(part)
    if not answer:
        return lines + ([Line(INDENT + lead)] if lead else [])
    line = Line(f"{INDENT}{lead}: {answer}")
    return lines + ([line] if line.width <= width else [Line(f"{INDENT}{lead}:"), Line(INDENT * 2 + answer)])


def _notes(report: Report, width: int, indent: str = INDENT) -> list[Line]:
    return [
        line
        for note in report.notes
        for line in paint(wrap(f"note: {visible(note)}", width, indent, indent + INDENT), "note:", FAINT)
    ]


def _cost(report: Report, width: int) -> list[Line]:
    from gradcheck.report.words import cost_of

    said = cost_of(report)
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
