"""The whole Jacobian, every output against every input, with a bound for every entry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numeric.estimate import local_inflation
from gradcheck.numeric.evaluate import Array, Evaluator, Function, Indices, as_evaluator, power_of_two
from gradcheck.numeric.examination import spread_blocks
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.look import output_derivatives
from gradcheck.numeric.precision import Precision, detect_precision
from gradcheck.numeric.slopes import measure_slopes
from gradcheck.numeric.specks import contradict, find_specks, short_steps
from gradcheck.numeric.survey import Survey, survey

_ROUGH = 30.0  # a bound this many times its round-off is due to a kink or an edge nearby
_RETRIES = 2
_SHORTER = 1 / 64


@dataclass(slots=True)
class Jacobian:
    """Measured derivatives of all outputs with respect to all inputs.

    Attributes
    ----------
    value
        (M, N); nan where the function is not finite on either side. Zero across slices.
    bound
        (M, N) how far the value may be from the truth; inf where there is no value.
    evaluations
        Forward calls spent.
    survey
        Stage 0 of the measurement.
    """

    value: Array
    bound: Array
    evaluations: int
    survey: Survey


def measure_jacobian(
    function: Function | Evaluator,
    x: Array,
    rng: np.random.Generator,
    *,
    precision: Precision | None = None,
    layout: Layout | None = None,
) -> Jacobian:
    """Measure the Jacobian at `x` with four evaluations a column (of a slice), after some 20 to 50 of start-up.

    Parameters
    ----------
    function
        Takes a float64 array of the shape of `x`, returns M numbers.
    x
        Float64 point, on the grid of the precision where that is known to be coarser.
    rng
        Generator of the random directions of the start-up.
    precision, layout
        If they are known; otherwise the precision is detected and the layout is one slice.
    """
    evaluate = as_evaluator(function)
    before = evaluate.count
    x = np.array(x, dtype=np.float64)
    y0 = evaluate(x)
    layout = layout or Layout.whole(x.size, y0.size)
    precision = precision or detect_precision(evaluate, x, y0, rng)
    around = survey(evaluate, x, rng.standard_normal(y0.size), layout, rng, precision)
    value, bound, noise = _measure(evaluate, around, np.arange(layout.width), around.steps)
    steps = around.steps
    for _ in range(_RETRIES if value.size else 0):
        with np.errstate(invalid="ignore"):
            size = np.sqrt(np.mean(np.where(np.isfinite(value), value, 0.0) ** 2))
            rough = (bound > _ROUGH * noise) & (bound > 1e-3 * np.maximum(np.abs(value), size))
        columns = np.flatnonzero((rough | ~np.isfinite(value)).any(axis=(0, 1)))
        if not columns.size:
            break
        steps = np.maximum(power_of_two(steps * _SHORTER), around.shortest)
        closer = _measure(evaluate, around, columns, steps[:, columns])
        for kept, new in zip((value, noise, bound), (closer[0], closer[2], closer[1]), strict=True):
            better = closer[1] < bound[:, :, columns]
            kept[:, :, columns] = np.where(better, new, kept[:, :, columns])
    specks = find_specks(around)
    columns = np.flatnonzero(specks.any(axis=0))
    if columns.size and value.size:
        short = _measure(evaluate, around, columns, short_steps(around, specks)[:, columns])
        other = contradict(value[:, :, columns], bound[:, :, columns], short[0], short[1]) & specks[:, None, columns]
        for kept, new in ((value, short[0]), (bound, short[1])):
            kept[:, :, columns] = np.where(other, new, kept[:, :, columns])
    return Jacobian(spread_blocks(value, around), spread_blocks(bound, around), evaluate.count - before, around)


def _measure(evaluate: Evaluator, around: Survey, columns: Indices, steps: Array) -> tuple[Array, Array, Array]:
    """(S, m, C) derivatives, bounds and the round-off in them."""
    near = measure_slopes(evaluate, around, columns, steps, detail=True)
    far = measure_slopes(evaluate, around, columns, 2 * steps, detail=True)
    inflation = local_inflation(near, far, around)
    value, bound, _ = output_derivatives(around, near, far, inflation)
    noise = np.broadcast_to(2.85 * around.sigma / near.half.T[:, :, None], value.shape)
    value = _from_one_side(value, near.outputs)
    dead = np.broadcast_to(around.dead, value.shape)
    value, bound = np.where(dead, np.nan, value), np.where(dead, np.inf, bound)
    shape = (1, 2, 0)
    return np.transpose(value, shape).copy(), np.transpose(bound, shape).copy(), np.transpose(noise, shape).copy()


def _from_one_side(value: Array, near: Array | None) -> Array:
    return value if near is None else np.where(np.isfinite(value), value, np.where(np.isfinite(near), near, np.nan))
