"""What the page shows of a report: texts made visible, and the numbers of its heat maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradcheck.model import BlindSpot, Finding, Grid, InputReport, Place, Report, Severity, Status, Verdict
from gradcheck.report import numbers
from gradcheck.report.escape import visible, visible_lines
from gradcheck.report.plot import view_curve
from gradcheck.report.verdict import commands_of
from gradcheck.report.words import (
    WORST_FIRST,
    Row,
    calls_of,
    error_of,
    facts_of,
    name_of,
    outcome_of,
    plain,
    rows_of,
    say,
    signature,
    tolerance_of,
)

ROWS = 30


def view_case(number: int, report: Report, drawn: set[int]) -> dict[str, Any]:
    """Return what the template wants of a case; nothing in it is markup.

    Parameters
    ----------
    number
        Its place in the run, from 1.
    report
        The case.
    drawn
        Identities of the grids that are drawn as heat maps, and of the curves that are drawn.
    """
    bug = report.bug
    named = name_of(report) if report.verdict is Verdict.FAIL or not report.expected else ""
    warned = any(finding.severity is Severity.WARNING for finding in report.findings)
    known = [report.name, named, report.layer, report.verdict.value, *report.tags]
    known += [finding.rule for finding in report.findings] + [part.name for part in report.inputs]
    error = error_of(report) if report.inputs else None
    return {
        "id": f"case-{number}",
        "place": number,
        "name": visible(report.name),
        "verdict": report.verdict.value,
        "expected": report.expected,
        "warned": warned,
        "search": visible(" ".join(known)).lower(),
        "rule": named,
        "inputs": ", ".join(signature(part) for part in report.inputs),
        "axis": report.axis,
        "error": "" if error is None else numbers.relative(error),
        "order": "" if error is None else "1e999" if math.isinf(error) else repr(error),
        "said": say(report) if report.verdict is not Verdict.PASS and bug is None else "",
        "surprise": visible(report.surprise),
        "about": visible(report.about),
        "raised": visible_lines(report.error) if report.verdict is Verdict.ERROR else [],
        "output": visible_lines(report.output),
        "trace": visible_lines(report.trace),
        "findings": [_finding(finding) for finding in report.findings],
        "parts": [
            _part(part, drawn) for part in sorted(report.inputs, key=lambda part: WORST_FIRST.index(part.verdict))
        ],
        "blind": [_blind(spot) for spot in report.blind],
        "notes": [visible(note) for note in report.notes],
        "facts": _facts(report),
        "repeat": commands_of(report),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": visible(finding.rule),
        "severity": finding.severity.value,
        "message": visible(finding.message),
        "remedy": visible(finding.remedy),
        "wrt": visible(finding.wrt or ""),
        "at": visible(finding.at or ""),
        "facts": facts_of(finding),
        "also": [visible(rule) for rule in finding.also],
    }


def _blind(spot: BlindSpot) -> dict[str, str]:
    return {"rule": visible(spot.rule), "cause": visible(spot.cause), "cure": visible(spot.cure)}


def _part(part: InputReport, drawn: set[int]) -> dict[str, Any]:
    rows: list[Row] = []
    rest = ""
    if part.verdict is not Verdict.PASS and not part.vacuous:
        rows, rest = rows_of(part, ROWS)
    return {
        "name": visible(part.name),
        "signature": signature(part),
        "verdict": part.verdict.value,
        "said": outcome_of(part),
        "rows": rows,
        "rest": rest,
        "remarks": any(row.remark for row in rows),
        "tolerance": tolerance_of(part),
        "maps": [
            _map(part, grid, kind, drawn)
            for kind, grid in (("gradient", part.gradient), ("Jacobian", part.jacobian))
            if grid is not None and grid.analytic
        ],
        "curve": view_curve(part.curve, part.name, part.verdict) if id(part.curve) in drawn and part.curve else None,
    }


def _map(part: InputReport, grid: Grid, kind: str, drawn: set[int]) -> dict[str, Any]:
    """Return what a heat map draws; numbers are cut to nine digits, and those that JSON lacks are texts."""
    told: dict[str, Any] = {
        "name": visible(part.name) if kind == "gradient" else "J",
        "kind": kind if kind == "gradient" else f"Jacobian, d output / d {visible(part.name)}",
        "shape": " by ".join(map(str, grid.shape)) or "one number",
        "data": None,
    }
    if id(grid) in drawn:
        axis = part.axis % len(grid.shape) if kind == "gradient" and part.axis is not None and grid.shape else None
        told["data"] = {
            "name": told["name"],
            "shape": list(grid.shape),
            "axis": axis,
            "outputs": [list(shape) for shape in grid.outputs],
            "inner": list(part.shape),
            "input": visible(part.name),
            "analytic": [_agreeing(*each) for each in zip(grid.analytic, grid.numeric, grid.bound, strict=True)],
            "numeric": [_short(value) for value in grid.numeric],
            "bound": [_ceiling(value) for value in grid.bound],
            "wrong": grid.wrong or (_wrong(part, grid) if kind == "gradient" else []),
        }
    return told


def _short(value: float) -> float | str:
    if value == 0:
        return 0
    return float(f"{value:.9g}") if math.isfinite(value) else str(value)


def _agreeing(analytic: float, numeric: float, bound: float) -> float | str:
    """Cut a number as its partner, where the two agree, so that the cutting alone sets nothing apart."""
    return _short(numeric if abs(analytic - numeric) <= bound else analytic)


def _ceiling(bound: float) -> float | str:
    return float(numbers.round_up(bound, 2)) if 0 < bound < math.inf else _short(bound)


def _wrong(part: InputReport, grid: Grid) -> list[int]:
    """Return the flat places of the entries that are known to be wrong, where the grid itself does not say."""
    entries = [*part.worst, *(row.worst for row in part.slices)]
    bad = [entry for entry in entries if entry.status in (Status.FAIL, Status.NONFINITE)]
    places = {_flat(entry.index, grid.shape) for entry in bad if len(entry.index) == len(grid.shape)}
    return sorted(place for place in places if 0 <= place < len(grid.analytic))


def _flat(index: Sequence[int], shape: Sequence[int]) -> int:
    place = 0
    for at, size in zip(index, shape, strict=True):
        place = place * size + at
    return place


def _facts(report: Report) -> list[tuple[str, str]]:
    """Return how the case was checked, label and value."""
    facts = [
        ("layer", visible(report.layer)),
        ("options", ", ".join(f"{visible(key)} = {plain(value)}" for key, value in report.options.items())),
        ("axis", "" if report.axis is None else str(report.axis)),
        ("seed", str(report.seed)),
        ("mode", visible(report.mode)),
        ("calls", calls_of(report.counts)),
        ("backward", _place(report.source)),
        ("case", _place(report.place)),
        ("tags", ", ".join(map(visible, report.tags))),
    ]
    return [(label, value) for label, value in facts if value]


def _place(place: Place | None) -> str:
    if place is None:
        return ""
    numbered = [str(number) for number in (place.line, place.column) if number]
    return ":".join([visible(place.file), *numbered])
