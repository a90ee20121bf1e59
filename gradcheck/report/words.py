"""What the forms for machines and pages say alike: the name of what is wrong, one line on it, the facts behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradcheck.model import Entry, Finding, InputReport, Plain, Report, Status, Verdict
from gradcheck.report import numbers
from gradcheck.report.escape import visible
from gradcheck.report.verdict import VACUOUS, is_vacuous

NAMELESS = {
    Verdict.FAIL: "gradient-mismatch",
    Verdict.ERROR: "layer-error",
    Verdict.UNDECIDED: "undecided",
    Verdict.PASS: "unexpected-pass",
}
"""What a report is called that no finding names."""

SUMMARIES = {
    "gradient-mismatch": "The backward differs from the measured gradient, and no rule explains how.",
    "layer-error": "The layer raised, or returned what no layer returns.",
    "undecided": "The measurement cannot tell whether the gradient is right.",
    "unexpected-pass": "A case that is expected to be wrong is right.",
}

WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.UNDECIDED, Verdict.PASS)
WORDS = {Status.KINK: "kink", Status.NONFINITE: "not finite", Status.UNDECIDED: "undecided"}
FACTS = {"explained": "explains the backward to", "truth": "the true gradient differs by"}


def name_of(report: Report) -> str:
    """Return the id of the rule that a report is filed under."""
    bug = report.bug if report.verdict is Verdict.FAIL else None
    return visible(bug.rule) if bug is not None else NAMELESS[report.verdict]


def say(report: Report) -> str:
    """Return one line on what was found, without the case's name."""
    said = visible(report.surprise)
    bug = report.bug
    if report.verdict is Verdict.ERROR:
        what = visible(report.error.partition("\n")[0]) or "no reason was given"
    elif report.verdict is Verdict.FAIL and bug is not None:
        where = f" in {visible(bug.at)}" if bug.at else ""
        what = f"{visible(bug.rule)}{where}: {visible(bug.message)}"
    elif report.verdict is Verdict.FAIL:
        what = next((sum_up(part) for part in report.inputs if part.verdict is Verdict.FAIL), "the gradient is wrong")
    elif report.verdict is Verdict.UNDECIDED:
        what = visible(report.notes[0]) if report.notes else SUMMARIES["undecided"].rstrip(".")
        what = VACUOUS if is_vacuous(report) else what
    else:
        what = ""
    return "; ".join(filter(None, [said, what]))


def error_of(report: Report) -> float:
    """Return the largest relative error of any input, infinite where it is no number."""
    return max((math.inf if math.isnan(part.error) else part.error for part in report.inputs), default=0.0)


def worst_first(reports: Sequence[Report]) -> list[Report]:
    """Sort reports: wrong gradients, most wrong first, then layers that raised, then the rest."""
    return sorted(reports, key=lambda report: (WORST_FIRST.index(report.verdict), -error_of(report)))


def signature(part: InputReport) -> str:
    """Return ``x (4, 5) float64``."""
    return f"{visible(part.name)} {numbers.shape(part.shape)} {visible(part.dtype)}"


def sum_up(part: InputReport) -> str:
    """Say how much of an input's gradient is wrong, and what is certain: ``11 of 20 entries of x wrong``."""
    counts, name = part.counts, visible(part.name)
    said: list[str] = []
    if counts.get("fail"):
        of = f" of {numbers.plural(part.size, 'entry', 'entries')} of {name}" if part.size else f" in {name}"
        among = ""
        if part.slices_total > 1:
            among = f", in {numbers.count(part.slices_wrong)} of {numbers.plural(part.slices_total, 'slice')}"
        said.append(f"{numbers.count(counts['fail'])}{of} wrong{among}")
    said += [f"{numbers.count(counts[status.value])} {words}" for status, words in WORDS.items() if counts.get(status)]
    text = ", ".join(said) or f"{name} is wrong"
    entry = part.worst[0] if part.worst else part.slices[0].worst if part.slices else None
    if entry is None or not math.isfinite(entry.at_least) or entry.at_least <= 0:
        return text
    return f"{text}; at least {numbers.percent(entry.at_least)} off at {name}{numbers.at(entry.index)}"


def tolerance_of(part: InputReport) -> str:
    """Return the smallest tolerance that would have passed: ``abs=1.3e-03 or rel=9.5e-01 at x[1, 3]``, or nothing."""
    asked = (("abs", part.minimum_atol), ("rel", part.minimum_rtol))
    given = [f"{kind}={numbers.round_up(value, 2)}" for kind, value in asked if value is not None]
    if not given:
        return ""
    where = f" at {visible(part.name)}{numbers.at(part.minimum_at)}" if part.minimum_at is not None else ""
    return f"{' or '.join(given)}{where}"


def facts_of(finding: Finding) -> list[tuple[str, str]]:
    """Return the evidence of a finding, each fact with its label; how well the rule explains the numbers first."""
    measured = [(words, finding.evidence.get(key)) for key, words in FACTS.items()]
    known = [(words, numbers.relative(value)) for words, value in measured if isinstance(value, (int, float))]
    others = [
        (visible(key.replace("_", " ")), plain(value))
        for key, value in finding.evidence.items()
        if key not in FACTS and value is not None
    ]
    return [*known, *others]


def plain(value: Plain) -> str:
    """Return a value of the evidence or an option as a person writes it."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, float):
        return numbers.significant(value, 4)
    if isinstance(value, list):
        return "[" + ", ".join(map(plain, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{visible(key)}: {plain(item)}" for key, item in value.items()) + "}"
    return visible(str(value))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table, as text."""

    label: str
    error: str
    at: str
    analytic: str
    numeric: str
    bound: str
    wrong: str
    remark: str
    bad: bool


def rows_of(part: InputReport, most: int) -> tuple[list[Row], str]:
    """Return the rows of an input's table, most wrong first, and what is said of those left out."""
    if part.slices:
        rows = [
            _row(visible(row.label), row.worst, f"{row.wrong}/{row.size}", row.wrong > 0) for row in part.slices[:most]
        ]
        total, noun, nouns = max(part.slices_total, len(part.slices)), "more slice", "more slices"
    else:
        rows = [_entry_row(part, entry) for entry in part.worst[:most]]
        total, noun, nouns = len(part.worst), "more entry", "more entries"
    missing = total - len(rows)
    if missing <= 0:
        return rows, ""
    unseen = part.slices_wrong - sum(row.bad for row in rows) if part.slices else 0
    wrong = f", {numbers.count(unseen)} of them wrong" if unseen > 0 else ""
    return rows, f"and {numbers.plural(missing, noun, nouns)}{wrong}"


def _entry_row(part: InputReport, entry: Entry) -> Row:
    bad = entry.status in (Status.FAIL, Status.NONFINITE)
    return _row(visible(part.name) + numbers.at(entry.index), entry, f"{int(bad)}/1", bad)


def _row(label: str, entry: Entry, wrong: str, bad: bool) -> Row:
    digits = numbers.digits_to_tell(entry.error) if entry.status in (Status.FAIL, Status.UNDECIDED) else 6
    return Row(
        label,
        numbers.relative(entry.error),
        numbers.at(entry.index),
        numbers.significant(entry.analytic, digits),
        numbers.significant(entry.numeric, digits),
        numbers.round_up(entry.bound),
        wrong,
        WORDS.get(entry.status, ""),
        bad,
    )
