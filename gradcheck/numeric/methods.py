"""Other ways to measure a derivative, as arbiters: one-sided, Richardson on more levels, complex step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from gradcheck.numeric.estimate import DEVIATIONS, Context, entry_noise, typical_size
from gradcheck.numeric.evaluate import Array, Evaluator, Function, Indices, as_evaluator
from gradcheck.numeric.examine import examine
from gradcheck.numeric.slopes import Slopes, measure_slopes
from gradcheck.numeric.survey import Survey

METHODS = ("central", "one-sided", "richardson", "complex-step")

ComplexFunction = Callable[[NDArray[np.complex128]], NDArray[np.complex128]]

_LEVELS = 4
_TINY = 1e-150  # so small that its square is nothing beside 1
_VERIFIED = 8


@dataclass(slots=True)
class Measurement:
    """A gradient measured in one way.

    Attributes
    ----------
    value, bound
        Of the shape of x; nan and inf where nothing was measured.
    evaluations
        Calls spent, complex ones included.
    believed
        Whether the method may be relied on: a complex step must agree with central differences first.
    note
        Why it is not believed, or an empty string.
    """

    value: Array
    bound: Array
    evaluations: int
    believed: bool = True
    note: str = ""


def measure(
    function: Function | Evaluator,
    survey: Survey,
    method: str,
    *,
    complex_function: ComplexFunction | None = None,
) -> Measurement:
    """Measure the gradient of the weighted outputs by one of :data:`METHODS`.

    Parameters
    ----------
    function
        As surveyed.
    complex_function
        For ``complex-step``: the same function of a complex128 array, returning M complex numbers.

    Raises
    ------
    ValueError
        If the method has no such name, or the complex step has no complex function.
    """
    evaluate = as_evaluator(function)
    if method == "central":
        found = examine(evaluate, survey, None)
        return Measurement(found.value, found.bound, found.evaluations)
    if method == "one-sided":
        return _one_sided(evaluate, survey)
    if method == "richardson":
        return _richardson(evaluate, survey)
    if method != "complex-step":
        raise ValueError(f"no method {method!r}: one of {', '.join(METHODS)}")
    if complex_function is None:
        raise ValueError("a complex step needs a function that takes complex input")
    return _complex_step(evaluate, survey, complex_function)


def _levels(evaluate: Evaluator, survey: Survey, columns: Indices, count: int) -> list[Slopes]:
    """Slopes at h, 2h, 4h, ..."""
    return [measure_slopes(evaluate, survey, columns, 2**level * survey.steps[:, columns]) for level in range(count)]


def _roundoff(survey: Survey, slopes: list[Slopes], columns: Indices, values: Array) -> Array:
    """(S, C) round-off of one evaluation over the near step."""
    context = Context(typical_size(values, survey, survey.layout))
    last_place = np.max([level.last_place for level in slopes], axis=0)
    return entry_noise(np.nan_to_num(last_place), survey, columns, context) / slopes[0].half


def _one_sided(evaluate: Evaluator, survey: Survey) -> Measurement:
    """Slopes ahead at h, 2h, 4h, extrapolated twice; behind where the function ends ahead."""
    before = evaluate.count
    columns = np.arange(survey.layout.width)
    levels = _levels(evaluate, survey, columns, 3)
    noise = _roundoff(survey, levels, columns, levels[0].forward)
    with np.errstate(invalid="ignore", over="ignore"):
        sides = []
        for name in ("forward", "backward"):
            one, two, four = (getattr(level, name) for level in levels)
            near, far = 2 * one - two, 2 * two - four
            # 6.2: root of the sum of squares of the weights 8/3, 1, 1/12 and of their sum at x, rounded up
            sides.append(((4 * near - far) / 3, np.abs(near - far) + DEVIATIONS * 6.2 * noise))
        ahead = np.isfinite(sides[0][0])
    value = np.where(ahead, sides[0][0], sides[1][0])
    bound = np.where(ahead, sides[0][1], sides[1][1])
    return _finish(survey, value, bound, evaluate.count - before)


def _richardson(evaluate: Evaluator, survey: Survey) -> Measurement:
    """Central differences at h, 2h, 4h, 8h; per entry the order of extrapolation with the smallest bound."""
    before = evaluate.count
    columns = np.arange(survey.layout.width)
    levels = _levels(evaluate, survey, columns, _LEVELS)
    noise = DEVIATIONS * _roundoff(survey, levels, columns, levels[0].central)
    row = [level.central for level in levels]
    value, bound = row[0], np.full(row[0].shape, np.inf)
    with np.errstate(invalid="ignore", over="ignore"):
        fourth = np.abs(levels[1].bend - 4 * levels[0].bend) / (3 * levels[0].half)
        for order in range(1, _LEVELS):
            weight = 4.0**order
            last = row
            row = [(weight * near - far) / (weight - 1) for near, far in pairwise(last)]
            # what the extrapolation changed is far above what it left, but for a kink: that shows in the bend
            error = np.abs(last[0] - last[1]) * 2 / 3 + fourth + noise
            better = error < bound
            value, bound = np.where(better, row[0], value), np.where(better, error, bound)
    return _finish(survey, value, bound, evaluate.count - before)


def _complex_step(evaluate: Evaluator, survey: Survey, function: ComplexFunction) -> Measurement:
    layout = survey.layout
    before = evaluate.count
    value = np.full(layout.inputs.shape, np.nan)
    weights = survey.weights
    base = survey.x.astype(np.complex128)
    groups = layout.groups
    for column, rows in product(range(layout.width), groups):
        moved = base.copy()
        moved.reshape(-1)[layout.inputs[rows, column]] += 1j * _TINY
        with np.errstate(all="ignore"):
            outputs = np.asarray(function(moved)).reshape(-1)
            slopes = np.imag(outputs) / _TINY
        if slopes.size != survey.home.size:
            continue
        mine = layout.gather_outputs(slopes)[rows]
        value[rows, column] = np.where(weights[rows] == 0, 0.0, mine * weights[rows]).sum(axis=1)
    size = typical_size(value, survey, layout)
    bound = 64 * survey.precision.eps * (np.abs(value) + size)
    sample = np.unique(np.linspace(0, survey.x.size - 1, min(_VERIFIED, survey.x.size)).astype(np.intp))
    central = examine(evaluate, survey, layout.scatter_inputs(value, survey.x.shape), entries=sample)
    result = _finish(survey, value, bound, evaluate.count - before + layout.width * len(groups))
    one, other = result.value.reshape(-1)[sample], central.value.reshape(-1)[sample]
    with np.errstate(invalid="ignore"):
        off = ~(np.abs(one - other) <= central.allowance.reshape(-1)[sample])
    if off.any():
        # an abs, a comparison or a cast drops the imaginary part without a word
        result.believed = False
        result.note = (
            f"the complex step disagrees with central differences on {int(off.sum())} of {sample.size} entries"
        )
    return result


def _finish(survey: Survey, value: Array, bound: Array, evaluations: int) -> Measurement:
    layout, shape = survey.layout, survey.x.shape
    bound = np.where(np.isfinite(value) & np.isfinite(bound), bound, np.inf)
    return Measurement(layout.scatter_inputs(value, shape), layout.scatter_inputs(bound, shape), evaluations)
