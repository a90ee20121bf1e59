"""Error of the central difference against its step: the V of round-off and truncation, as data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numeric.evaluate import Array, Evaluator, Function, as_evaluator, median
from gradcheck.numeric.examine import examine
from gradcheck.numeric.slopes import measure_slopes
from gradcheck.numeric.survey import Survey

_FEWEST = 3  # points of a branch that make a slope


@dataclass(slots=True)
class Sweep:
    """The error of one entry over many steps.

    Attributes
    ----------
    entry
        Flat index of the entry.
    steps
        (T,) absolute steps, from the shortest.
    values, errors
        (T,) central differences, and their distances from `reference`; nan outside of the domain.
    reference, bound
        The derivative as it was measured at the chosen step, and how far that may be from the truth.
    chosen
        Step that the survey chose.
    best
        Step with the smallest error.
    roundoff
        Exponent of the error where the step is too short: -1 where round-off rules. nan: no such branch.
    truncation
        Exponent where it is too long: 2 for a smooth function, 0 or 1 for a kink. nan: no such branch (a polynomial of
        the second degree has none).
    evaluations
        Forward calls spent.
    """

    entry: int
    steps: Array
    values: Array
    errors: Array
    reference: float
    bound: float
    chosen: float
    best: float
    roundoff: float
    truncation: float
    evaluations: int


def sweep(
    function: Function | Evaluator,
    survey: Survey,
    *,
    entry: int | None = None,
    reference: float | None = None,
    octaves: tuple[int, int] = (-24, 12),
) -> Sweep:
    """Measure one entry with steps from far too short to far too long (2 evaluations each).

    Parameters
    ----------
    function
        As surveyed.
    entry
        Flat index; by default that of the largest measured derivative among the audited ones.
    reference
        The derivative to be compared with; by default the measured one.
    octaves
        Shortest and longest step, as powers of two of the chosen one.
    """
    evaluate = as_evaluator(function)
    before = evaluate.count
    layout = survey.layout
    wanted = layout.inputs[:, survey.audit].reshape(-1) if entry is None else np.array([entry])
    found = examine(evaluate, survey, None, entries=wanted)
    values = found.value.reshape(-1)
    if entry is None:
        size = np.abs(np.where(np.isfinite(values), values, 0.0))[wanted]
        entry = int(wanted[int(np.argmax(size))])
    row, column = (int(place[0]) for place in np.nonzero(layout.inputs == entry))
    chosen = float(survey.steps[row, column])
    target = float(values[entry]) if reference is None else reference
    steps = np.ldexp(chosen, np.arange(octaves[0], octaves[1] + 1)).astype(np.float64)
    at = np.array([_central(evaluate, survey, row, column, float(step)) for step in steps])
    with np.errstate(invalid="ignore"):
        errors = np.abs(at - target)
    valid = np.isfinite(errors)
    best = int(np.argmin(np.where(valid, errors, np.inf))) if valid.any() else int(np.argmin(np.abs(steps - chosen)))
    return Sweep(
        entry=entry,
        steps=steps,
        values=at,
        errors=errors,
        reference=target,
        bound=float(found.bound.reshape(-1)[entry]),
        chosen=chosen,
        best=float(steps[best]),
        roundoff=_exponent(steps[:best], errors[:best]),
        truncation=_exponent(*_rise(steps, errors, float(found.bound.reshape(-1)[entry]), best)),
        evaluations=evaluate.count - before,
    )


def _central(evaluate: Evaluator, survey: Survey, row: int, column: int, step: float) -> float:
    steps = survey.steps[:, [column]].copy()
    steps[row] = step
    return float(measure_slopes(evaluate, survey, np.array([column]), steps).central[row, 0])


def _rise(steps: Array, errors: Array, bound: float, best: int) -> tuple[Array, Array]:
    """The part beyond the best step where the error has left the noise, up to where it turns."""
    beyond = np.flatnonzero((np.arange(len(steps)) > best) & (errors > 4 * bound))
    if not beyond.size:
        return steps[:0], errors[:0]
    stop = beyond[0] + 1
    while stop < len(steps) and errors[stop] > errors[stop - 1]:
        stop += 1
    # the first few octaves: further out the function shows its other sides
    return steps[beyond[0] : min(stop, beyond[0] + 6)], errors[beyond[0] : min(stop, beyond[0] + 6)]


def _exponent(steps: Array, errors: Array) -> float:
    """Slope of a straight line through the logarithms; the median of all pairs, so that single zeros do not matter."""
    usable = np.isfinite(errors) & (errors > 0) & (steps > 0)
    if int(usable.sum()) < _FEWEST:
        return float(np.nan)
    across, up = np.log(steps[usable]), np.log(errors[usable])
    first, second = np.triu_indices(across.size, 1)
    return median((up[second] - up[first]) / (across[second] - across[first]))
