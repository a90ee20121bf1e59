"""Analytic against measured, entry by entry, summed up per slice and per input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.model import Entry, Grid, InputReport, SliceSummary, Status, Verdict
from gradcheck.numeric.evaluate import median

Floats: TypeAlias = npt.NDArray[np.float64]

# What a report may keep of a large array.
MOST_SLICES = 1000
MOST_ENTRIES = 20
MOST_DRAWN = 4096
# Entries that could not be resolved may hide this share of the gradient's norm before the input is undecided.
HIDDEN_SHARE = 0.01
# An open entry of this share of the gradient's root mean square is left open on its own account.
MATERIAL = 1e-3

_WORST_FIRST = (Status.FAIL, Status.NONFINITE, Status.UNDECIDED, Status.KINK, Status.PASS, Status.FLOOR)


@dataclass(slots=True)
class Comparison:
    """Analytic and measured gradient with respect to one input; all arrays have the input's shape.

    Attributes
    ----------
    bound
        How far ``numeric`` may be from the truth.
    allowance
        Largest difference that is accepted: bound, materiality and floor (numerics 4.4).
    status
        A :class:`~gradcheck.model.Status` per entry, as its value.
    tau
        The relative difference that nobody cares about.
    vacuous
        Whether analytic and numeric are zero within the bounds, so that their agreement says nothing.
    examined
        Which entries were measured at all; ``None``: all.
    suspected
        Whether an entry was refuted once, and not confirmed.
    """

    name: str
    dtype: str
    analytic: Floats
    numeric: Floats
    bound: Floats
    allowance: Floats
    status: npt.NDArray[np.str_]
    tau: float
    vacuous: bool = False
    examined: npt.NDArray[np.bool_] | None = None
    suspected: bool = False


def summarise(part: Comparison, axis: int | None) -> InputReport:
    """Sum a comparison up as what is said of one input."""
    seen = np.ones(part.status.shape, dtype=bool) if part.examined is None else part.examined
    difference = np.where(seen, np.abs(part.analytic - part.numeric), 0.0)
    larger = np.fmax(np.abs(part.analytic), np.abs(part.numeric))
    failed = _has(part.status, Status.FAIL) | _has(part.status, Status.NONFINITE)
    with np.errstate(all="ignore"):
        error = difference / np.maximum(larger, part.bound / part.tau)
        # of what was examined and found wrong the plain relative error is certain
        error = np.where(_has(part.status, Status.FAIL), difference / larger, error)
        error = np.where(difference == 0, 0.0, error)
        excess = np.where(part.allowance > 0, difference / part.allowance, np.where(difference > 0, np.inf, 0.0))
    excess = np.where(np.isnan(excess), np.inf, excess)
    report = InputReport(
        part.name,
        tuple(int(n) for n in part.analytic.shape),
        part.dtype,
        _verdict(part, larger),
        axis=axis,
        size=int(part.analytic.size),
        compared=int(seen.sum()),
        counts={status.value: int((_has(part.status, status) & seen).sum()) for status in Status},
    )
    if not part.analytic.size:
        report.vacuous = True
        return report
    rank = np.zeros(part.status.shape)
    for place, status in enumerate(reversed(_WORST_FIRST)):
        rank[_has(part.status, status)] = place
    rank[~seen] = -1.0
    error = np.where(np.isnan(error), np.inf, error)
    order = np.lexsort((-error.ravel(), -rank.ravel()))
    report.error = float(np.max(error))
    finite = part.numeric[np.isfinite(part.numeric)]
    report.norm = float(np.linalg.norm(finite))
    report.vacuous = part.vacuous
    worst = float(np.max(np.where(_has(part.status, Status.KINK), 0.0, excess)))
    report.margin = 1.0 / worst if worst > 0 else None
    material = larger > 1e-3 * np.sqrt(np.mean(np.square(np.where(np.isfinite(larger), larger, 0.0))))
    typical = material & np.isfinite(part.allowance) & ~_has(part.status, Status.KINK)
    if typical.any():
        report.resolution = median((2 * part.allowance / larger)[typical])
    if failed.any():
        _set_minimum(report, part, difference, larger)
    shown = order[: min(MOST_ENTRIES, int(seen.sum()))]
    report.worst = [_entry(part, error, np.unravel_index(i, part.status.shape)) for i in shown]
    _set_slices(report, part, error, rank)
    if part.analytic.size <= MOST_DRAWN:
        analytic, numeric, bound = (a.ravel().tolist() for a in (part.analytic, part.numeric, part.bound))
        report.gradient = Grid(report.shape, analytic, numeric, bound, np.flatnonzero(failed).tolist())
    return report


def _has(statuses: npt.NDArray[np.str_], status: Status) -> npt.NDArray[np.bool_]:
    return np.asarray(statuses == status.value)


def _verdict(part: Comparison, larger: Floats) -> Verdict:
    wrong = _has(part.status, Status.FAIL) | (_has(part.status, Status.NONFINITE) & ~np.isfinite(part.analytic))
    if wrong.any():
        return Verdict.FAIL
    open_ = _has(part.status, Status.UNDECIDED) | _has(part.status, Status.NONFINITE)
    if part.examined is not None:
        open_ &= part.examined
    if part.suspected:
        return Verdict.UNDECIDED
    if not open_.any():
        return Verdict.PASS
    hidden = np.where(np.isfinite(part.allowance), part.allowance, np.inf)[open_]
    sizes = np.where(np.isfinite(larger), larger, 0.0)
    # neither much of the norm may be hidden, nor an entry that is not small beside the others be left open
    material = bool(np.any(sizes[open_] > MATERIAL * float(np.sqrt(np.mean(sizes * sizes)))))
    much = float(np.linalg.norm(hidden)) > HIDDEN_SHARE * float(np.linalg.norm(sizes))
    return Verdict.UNDECIDED if material or much else Verdict.PASS


def _set_minimum(report: InputReport, part: Comparison, difference: Floats, larger: Floats) -> None:
    """Find the smallest tolerances that would have passed, beyond what the measurement itself leaves open."""
    with np.errstate(all="ignore"):
        absolute = np.where(_has(part.status, Status.FAIL), difference - part.bound, 0.0)
        relative = np.where(_has(part.status, Status.FAIL), absolute / larger, 0.0)
    if not np.any(absolute > 0):
        return
    at = np.unravel_index(int(np.argmax(absolute)), absolute.shape)
    report.minimum_atol = float(absolute[at])
    report.minimum_rtol = float(np.max(relative))
    report.minimum_at = tuple(int(i) for i in at)


def _entry(part: Comparison, error: Floats, at: tuple[np.intp, ...]) -> Entry:
    a, n, e = float(part.analytic[at]), float(part.numeric[at]), float(part.bound[at])
    larger = max(abs(a), abs(n))
    certain = max(0.0, abs(a - n) - float(part.allowance[at])) / larger if larger else 0.0
    return Entry(tuple(int(i) for i in at), a, n, e, float(error[at]), certain, Status(str(part.status[at])))


def _set_slices(report: InputReport, part: Comparison, error: Floats, rank: Floats) -> None:
    """Sum up per slice along the axis (the last one where none is given), most wrong first."""
    shape = part.status.shape
    along = (len(shape) - 1 if report.axis is None else report.axis) % max(len(shape), 1)
    length = shape[along] if shape else 1
    outer = shape[:along] + shape[along + 1 :]

    def rows(array: npt.ArrayLike) -> Floats:
        values = np.asarray(array, dtype=np.float64)
        return (np.moveaxis(values, along, -1) if shape else values).reshape(-1, length)

    ranks, errors = rows(rank), rows(error)
    wrong = (rows(_has(part.status, Status.FAIL) | _has(part.status, Status.NONFINITE)) * (ranks >= 0)).sum(axis=1)
    undecided = (rows(_has(part.status, Status.UNDECIDED)) * (ranks >= 0)).sum(axis=1)
    highest = ranks.max(axis=1, keepdims=True)
    inner = np.where(ranks == highest, errors, -np.inf).argmax(axis=1)
    looked = ranks.max(axis=1) >= 0
    lines = np.arange(len(ranks))
    order = np.lexsort((lines, -errors[lines, inner], -ranks[lines, inner]))
    report.slices_total = int(looked.sum())
    report.slices_wrong = int((wrong > 0).sum())
    for number in order[looked[order]][:MOST_SLICES]:
        lead = [int(i) for i in np.unravel_index(number, outer)] if outer else []
        at = (*lead[:along], int(inner[number]), *lead[along:]) if shape else ()
        names = [str(i) for i in lead]
        label = f"{part.name}[{', '.join([*names[:along], ':', *names[along:]])}]" if shape else part.name
        report.slices.append(
            SliceSummary(
                label,
                _entry(part, error, tuple(np.intp(i) for i in at)),
                int(wrong[number]),
                int(undecided[number]),
                int((ranks[number] >= 0).sum()),
            )
        )
