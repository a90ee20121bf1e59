"""What all forms say alike: the name of what is wrong, one line on it, the tolerance, the facts behind it, the cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradcheck.model import Counts, Entry, Finding, InputReport, Plain, Report, Status, Verdict
from gradcheck.report import numbers
from gradcheck.report.escape import visible
from gradcheck.report.table import WORDS
from gradcheck.report.verdict import VACUOUS, agreement, is_vacuous

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
COUNTED = {
    Status.FAIL: "wrong",
    Status.NONFINITE: "not finite",
    Status.UNDECIDED: "undecided",
    Status.KINK: "at a kink",
}
"""What is counted of a wrong gradient, in this order."""

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


def outcome_of(part: InputReport) -> str:
    """Return one line on an input: what is wrong with its gradient, why that cannot be told, or how well it agrees."""
    if part.verdict is Verdict.FAIL:
        return sum_up(part)
    doubt = doubt_of(part) if part.verdict is Verdict.UNDECIDED and not part.vacuous else ""
    return doubt or agreement(part)


def sum_up(part: InputReport) -> str:
    """Say how much of an input's gradient is wrong, and what is certain: ``all 20 entries of x wrong; ...``."""
    said: list[str] = []
    for status, words in COUNTED.items():
        number = part.counts.get(status.value, 0)
        if not number:
            continue
        # What is said first says also of how many, and of which input.
        said.append(f"{numbers.count(number)} {words}" if said else _share(part, number, words))
        if status is Status.FAIL and part.slices_total > 1 and number < part.size:
            said.append(f"in {numbers.count(part.slices_wrong)} of {numbers.plural(part.slices_total, 'slice')}")
    text = ", ".join(said) or f"{visible(part.name)} is wrong"
    return "; ".join(filter(None, [text, _certain(part)]))


def _share(part: InputReport, number: int, words: str) -> str:
    entries, name = numbers.plural(part.size, "entry", "entries"), visible(part.name)
    if number < part.size:
        return f"{numbers.count(number)} of {entries} of {name} {words}"
    return f"all {entries} of {name} {words}" if part.size > 1 else f"{name} is {words}"


def _certain(part: InputReport) -> str:
    """Say what is known of the worst entry, if there is one: how far off it is at the least."""
    entry = _worst(part)
    if entry is None:
        return ""
    where = _where(part, entry.index)
    if not math.isfinite(entry.analytic):
        return f"the backward returned {entry.analytic}{where}"
    if not math.isfinite(entry.numeric):
        return f"the measurement is {entry.numeric}{where}"
    if not math.isfinite(entry.at_least) or entry.at_least <= 0:
        return ""
    return f"at least {numbers.percent(entry.at_least)} off{where}"


def _worst(part: InputReport) -> Entry | None:
    return part.worst[0] if part.worst else part.slices[0].worst if part.slices else None


def _where(part: InputReport, index: Sequence[int]) -> str:
    """Return `` at x[1, 3]``, and nothing for a number that has no entries."""
    return f" at {visible(part.name)}{numbers.at(index)}" if index else ""


def doubt_of(part: InputReport) -> str:
    """Say how many entries of an input cannot be decided, and why, as far as those that are shown say it."""
    if not part.size:
        return f"{visible(part.name)}: {agreement(part)}"
    undecided = part.counts.get(Status.UNDECIDED.value, 0)
    if not undecided:
        return ""
    shown = [entry for entry in part.worst if entry.status is Status.UNDECIDED]
    if any(not math.isfinite(entry.analytic) for entry in shown):
        why = "the backward is no number where the outputs are none"
    elif any(abs(entry.analytic - entry.numeric) > entry.bound for entry in shown):
        why = "one measurement disagrees, and measurements at other steps do not confirm it"
    else:
        why = "the error bound of the measurement is wider than the difference"
    entries = numbers.plural(part.size, "entry", "entries")
    return f"{visible(part.name)}: {numbers.count(undecided)} of {entries} cannot be decided: {why}"


def tolerance_of(part: InputReport) -> tuple[str, str]:
    """Return what tolerance would pass a wrong gradient: a lead and the numbers; empty texts where nothing is known.

    The entry is the one that asks for the absolute tolerance; the relative one may be asked for by another.
    """
    worst = _worst(part)
    if part.verdict is not Verdict.FAIL:
        return "", ""
    if worst is not None and not math.isfinite(worst.analytic):
        return "no tolerance would pass", ""
    atol, rtol = part.minimum_atol, part.minimum_rtol
    given = [f"atol={numbers.round_up(atol, 2)}{_where(part, part.minimum_at or ())}"] if atol is not None else []
    given += [f"rtol={numbers.round_up(rtol, 2)}"] if rtol is not None else []
    if not given:
        return "", ""
    if not any(value is not None and math.isfinite(value) for value in (atol, rtol)):
        return "no tolerance would pass", ""
    return "minimum tolerance that would pass", " or ".join(given)


def calls_of(counts: Counts) -> str:
    """Return how often the layer was called: ``48 forward (at 96 points) and 21 backward``."""
    together = f" (at {numbers.plural(counts.points, 'point')})" if counts.points > counts.forwards else ""
    return f"{numbers.count(counts.forwards)} forward{together} and {numbers.count(counts.backwards)} backward"


def cost_of(report: Report) -> list[str]:
    """Return how a case was checked, part by part: its mode, its calls, its seed, and where the backward is."""
    said = [f"{visible(report.mode)} mode"] if report.mode else []
    if report.counts.forwards or report.counts.backwards:  # a worker that died has told nobody how many there were
        said.append(f"{calls_of(report.counts)} {'call' if report.counts.backwards == 1 else 'calls'}")
    said.append(f"seed {report.seed}")
    if report.source is not None:
        line = f":{report.source.line}" if report.source.line else ""
        said.append(f"backward at {visible(report.source.file)}{line}")
    return said


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
