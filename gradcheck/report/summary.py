"""The last lines of a run: what was not as expected, and the sums."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.model import Report, Severity, Verdict
from gradcheck.report import numbers
from gradcheck.report.escape import visible
from gradcheck.report.ink import FAINT, STRONG, VERDICTS, Line, paint, render
from gradcheck.report.layout import GLUE, pad_left, wrap

WORDS = {Verdict.PASS: "passed", Verdict.FAIL: "failed", Verdict.UNDECIDED: "undecided", Verdict.ERROR: "errors"}


def draw_summary(
    reports: Sequence[Report],
    *,
    width: int = 80,
    color: bool = False,
    total: int | None = None,
    interrupted: bool = False,
) -> str:
    """Return the summary of a run, without a newline at its end.

    Parameters
    ----------
    reports
        Those that were finished.
    width, color
        As in :func:`gradcheck.report.terminal.draw`.
    total
        Number of cases that were asked for, if it is not that of the reports.
    interrupted
        Whether the run was ended from outside.
    """
    lines: list[Line] = []
    surprising = [report for report in reports if not report.expected]
    if surprising and len(reports) > 1:
        lines.append(Line("not as expected:", STRONG))
        for report in surprising:
            lines += _listed(report, width)
        lines.append(Line())
    return render([*lines, *_sums(reports, width, total or len(reports), interrupted=interrupted)], color=color)


def draw_durations(reports: Sequence[Report], number: int, *, color: bool = False) -> str:
    """Return the slowest cases of a run, the slowest first, each with its calls of the layer."""
    slowest = sorted(reports, key=lambda report: -report.seconds)[:number]
    texts = [f"{report.seconds:.2f} s" for report in slowest]
    width = max(map(len, texts), default=0)
    lines = [Line(f"the slowest {numbers.plural(len(slowest), 'case')}:", STRONG)]
    for text, report in zip(texts, slowest, strict=True):
        line = Line(f"  {pad_left(text, width)}  ").add(report.name)
        calls = f"{numbers.count(report.counts.forwards)} forward and {numbers.count(report.counts.backwards)} backward"
        lines.append(line.add(f"   {calls}", FAINT))
    return render(lines, color=color)


def _listed(report: Report, width: int) -> list[Line]:
    said = report.surprise or (report.bug.rule if report.bug is not None else "")
    if report.verdict is Verdict.ERROR:
        said = report.error.partition("\n")[0]
    verdict = str(report.verdict).upper()
    text = f"{verdict}{GLUE * 2}{visible(report.name)}{GLUE * 2} {visible(said)}"
    return paint(wrap(text, width, "  ", "      "), verdict, VERDICTS[report.verdict])


def _sums(reports: Sequence[Report], width: int, total: int, *, interrupted: bool) -> list[Line]:
    lead = numbers.plural(total, "case")
    if interrupted or len(reports) < total:
        lead = f"{'interrupted' if interrupted else 'stopped'} after {len(reports)} of {lead}"
    said: list[str] = []
    for verdict, words in WORDS.items():
        these = [report for report in reports if report.verdict is verdict]
        if not these:
            continue
        expected = sum(report.expected for report in these)
        text = f"{numbers.count(len(these))} {'error' if words == 'errors' and len(these) == 1 else words}"
        usual = len(these) if verdict is Verdict.PASS else 0
        if expected != usual:
            text += f" ({_share(expected, len(these), verdict)})"
        said.append(text)
    warnings = sum(finding.severity is Severity.WARNING for report in reports for finding in report.findings)
    if warnings:
        said.append(numbers.plural(warnings, "warning"))
    forwards = sum(report.counts.forwards for report in reports)
    backwards = sum(report.counts.backwards for report in reports)
    said.append(f"{numbers.count(forwards)} forward and {numbers.plural(backwards, 'backward call')}")
    text = f"{lead}: {', '.join(said)}".replace(" ", GLUE).replace(f",{GLUE}", ", ").replace(f":{GLUE}", ": ")
    return paint(wrap(text, width, "", "  "), f"{lead}:", STRONG)


def _share(expected: int, number: int, verdict: Verdict) -> str:
    if verdict is Verdict.PASS:
        return "not as expected" if expected == 0 else f"{numbers.count(number - expected)} not as expected"
    return "as expected" if expected == number else f"{numbers.count(expected)} as expected"
