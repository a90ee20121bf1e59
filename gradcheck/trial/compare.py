"""Analytic against measured, entry by entry, summed up per slice and per input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from gradcheck.model import Entry, Grid, InputReport, SliceSummary, Status, Verdict
from gradcheck.numeric.evaluate import Mask, median, norm
from gradcheck.numeric.judge import FAIL, FLOOR, KINK, NONFINITE, PASS, STATUSES, UNDECIDED, Codes
from gradcheck.numeric.precision import SINGLE, Precision
from gradcheck.trial.calls import Floats

Places: TypeAlias = npt.NDArray[np.intp]
Ranks: TypeAlias = npt.NDArray[np.int8]
_Number = TypeVar("_Number", bound=np.generic)

# What a report may keep of a large array.
MOST_SLICES = 1000
MOST_ENTRIES = 20
MOST_DRAWN = 4096
# Entries that could not be resolved may hide this share of the gradient's norm before the input is undecided.
HIDDEN_SHARE = 0.01
# An open entry of this share of the gradient's root mean square is left open on its own account.
MATERIAL = 1e-3

# The backward's own rounding is forgiven eightfold, up to what single precision (or the layer's own) explains.
ROUNDINGS = 8.0

# How bad a status is, by its code.
_RANKS = np.array(
    [(FLOOR, PASS, KINK, UNDECIDED, NONFINITE, FAIL).index(code) for code in range(len(STATUSES))], np.int8
)


@dataclass(eq=False, slots=True)
class Comparison:
    """Analytic and measured gradient with respect to one input; all arrays have the input's shape.

    Attributes
    ----------
    bound
        How far ``numeric`` may be from the truth.
    allowance
        Largest difference that is accepted: bound, materiality and floor (numerics 4.4).
    status
        A :class:`~gradcheck.model.Status` per entry, as its place in :data:`~gradcheck.numeric.judge.STATUSES`.
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
    status: Codes
    tau: float
    vacuous: bool = False
    examined: Mask | None = None
    suspected: bool = False


def summarise(part: Comparison, axis: int | None) -> InputReport:
    """Sum a comparison up as what is said of one input."""
    seen = np.ones(part.status.shape, dtype=bool) if part.examined is None else part.examined
    difference = np.where(seen, np.abs(part.analytic - part.numeric), 0.0)
    larger = np.fmax(np.abs(part.analytic), np.abs(part.numeric))
    status = part.status
    refuted, failed = status == FAIL, (status == FAIL) | (status == NONFINITE)
    with np.errstate(all="ignore"):
        # a tolerance of nearly nothing is no reason to call every entry small beside its bound
        error = difference / np.maximum(larger, part.bound / max(part.tau, _usual_tolerance(part.dtype)))
        # of what was examined and found wrong the plain relative error is certain
        error = np.where(refuted, difference / larger, error)
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
        counts={one.value: int(((status == STATUSES.index(one)) & seen).sum()) for one in Status},
    )
    if not part.analytic.size:
        report.vacuous = True
        return report
    rank = np.where(seen, _RANKS[status], np.int8(-1))
    error = np.where(np.isnan(error), np.inf, error)
    report.error = float(np.max(error))
    finite = part.numeric[np.isfinite(part.numeric)]
    report.norm = norm(finite)
    report.vacuous = part.vacuous
    worst = float(np.max(np.where(status == KINK, 0.0, excess)))
    report.margin = 1.0 / worst if worst > 0 else None
    material = larger > 1e-3 * np.sqrt(np.mean(np.square(np.where(np.isfinite(larger), larger, 0.0))))
    typical = material & np.isfinite(part.allowance) & (status != KINK)
    if typical.any():
        report.resolution = median((2 * part.allowance / larger)[typical])
    if failed.any():
        _set_minimum(report, part, difference, larger)
    report.worst = _list_entries(
        part, error, _find_worst(rank.ravel(), error.ravel(), min(MOST_ENTRIES, report.compared))
    )
    _set_slices(report, part, error, rank)
    if part.analytic.size <= MOST_DRAWN:
        analytic, numeric, bound = (a.ravel().tolist() for a in (part.analytic, part.numeric, part.bound))
        report.gradient = Grid(report.shape, analytic, numeric, bound, np.flatnonzero(failed).tolist())
    return report


def _usual_tolerance(dtype: str) -> float:
    return max(1e-7, 32 * float(np.finfo(dtype).eps)) if dtype.startswith("float") else 1e-7


def _verdict(part: Comparison, larger: Floats) -> Verdict:
    wrong = (part.status == FAIL) | ((part.status == NONFINITE) & ~np.isfinite(part.analytic))
    if wrong.any():
        return Verdict.FAIL
    open_ = (part.status == UNDECIDED) | (part.status == NONFINITE)
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
    much = norm(hidden) > HIDDEN_SHARE * norm(sizes)
    return Verdict.UNDECIDED if material or much else Verdict.PASS


def _set_minimum(report: InputReport, part: Comparison, difference: Floats, larger: Floats) -> None:
    """Find the smallest tolerances that would have passed, beyond what the measurement itself leaves open."""
    with np.errstate(all="ignore"):
        absolute = np.where(part.status == FAIL, difference - part.bound, 0.0)
        relative = np.where(part.status == FAIL, absolute / larger, 0.0)
    if not np.any(absolute > 0):
        return
    at = np.unravel_index(int(np.argmax(absolute)), absolute.shape)
    report.minimum_atol = float(absolute[at])
    report.minimum_rtol = float(np.max(relative))
    report.minimum_at = tuple(int(i) for i in at)


def _find_worst(rank: Ranks, error: Floats, count: int) -> Places:
    """Return the places of the first `count` entries in order of rank, then of error, then of place."""
    found = [np.zeros(0, dtype=np.intp)]
    for level in range(int(np.max(rank, initial=-1)), -2, -1):
        places = np.flatnonzero(rank == level)
        if places.size > count > 0:  # few are wanted of many: these need not be sorted
            least = np.partition(error[places], places.size - count)[places.size - count]
            places = places[error[places] >= least]
        found.append(places[np.argsort(-error[places], kind="stable")][:count])
        count -= found[-1].size
        if count <= 0:
            break
    return np.concatenate(found)


def _list_entries(part: Comparison, error: Floats, places: Places) -> list[Entry]:
    """Return what is said of the entries at some flat places."""
    arrays = (part.analytic, part.numeric, part.bound, part.allowance, error, part.status)
    columns = [array.reshape(-1)[places].tolist() for array in arrays]
    indices = np.stack(np.unravel_index(places, part.status.shape), axis=-1).tolist() if part.status.ndim else [()]
    entries = []
    for index, a, n, e, allowed, off, code in zip(indices, *columns, strict=True):
        larger = max(abs(a), abs(n))
        certain = max(0.0, abs(a - n) - allowed) / larger if larger else 0.0
        entries.append(Entry(tuple(index), a, n, e, off, certain, STATUSES[code]))
    return entries


def _set_slices(report: InputReport, part: Comparison, error: Floats, rank: Ranks) -> None:
    """Sum up per slice along the axis (the last one where none is given), most wrong first."""
    shape = part.status.shape
    along = (len(shape) - 1 if report.axis is None else report.axis) % max(len(shape), 1)
    length = shape[along] if shape else 1

    def rows(array: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
        return (np.moveaxis(array, along, -1) if shape else array).reshape(-1, length)

    ranks, errors = rows(rank), rows(error)
    seen = ranks >= 0
    wrong = (rows((part.status == FAIL) | (part.status == NONFINITE)) & seen).sum(axis=1)
    undecided = (rows(part.status == UNDECIDED) & seen).sum(axis=1)
    highest = ranks.max(axis=1)
    inner = np.where(ranks == highest[:, None], errors, -np.inf).argmax(axis=1)
    looked = highest >= 0
    lines = np.arange(len(ranks))
    order = np.lexsort((lines, -errors[lines, inner], -highest))
    report.slices_total = int(looked.sum())
    report.slices_wrong = int((wrong > 0).sum())
    shown = order[looked[order]][:MOST_SLICES]
    places = rows(np.arange(rank.size).reshape(shape))[shown, inner[shown]]
    numbers = np.stack([wrong[shown], undecided[shown], seen.sum(axis=1)[shown]], axis=-1).tolist()
    for entry, (bad, open_, size) in zip(_list_entries(part, error, places), numbers, strict=True):
        names = [str(i) for i in entry.index]
        label = f"{part.name}[{', '.join([*names[:along], ':', *names[along + 1 :]])}]" if shape else part.name
        report.slices.append(SliceSummary(label, entry, bad, open_, size))


def own_rounding(claim: Floats, rounding: Floats | None, coarse: Precision, scale: float) -> Floats:
    """Return how much of a difference the backward's own rounding explains, per entry.

    In float64 it is forgiven up to what single precision would explain; below, up to a thousandth of the largest
    entry, and entries that cancel to less than 64 round-offs of the gradient's scale are left alone.
    """
    peak = float(np.max(np.abs(claim[np.isfinite(claim)]), initial=0.0))
    floor, most = (0.0, 64 * SINGLE.eps) if coarse.eps < SINGLE.eps else (64 * coarse.eps, 8192 * coarse.eps)
    measured = np.zeros(claim.shape) if rounding is None else ROUNDINGS * rounding
    return np.minimum(measured, most * peak) + floor * scale + 16 * coarse.tiny
