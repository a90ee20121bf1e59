"""Stage 0: what is measured once for an input before its directions are: value, noise, and the step of every entry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.numeric.evaluate import (
    Array,
    Evaluator,
    Function,
    Indices,
    Mask,
    as_evaluator,
    power_of_two,
    root_sum_squares,
)
from gradcheck.numeric.layout import Layout, NotLocalError
from gradcheck.numeric.noise import measure_noise
from gradcheck.numeric.precision import Precision
from gradcheck.numeric.steps import careful_scales, correct_stride, first_stride, length_scales

_AUDITED = 4
_REPEATS = 6
_RECHECKED = 2


@dataclass(eq=False, slots=True)
class Survey:
    """What is known of the function around `x`.

    Attributes
    ----------
    x
        The point, float64.
    home
        (M,) values at `x`, as they came.
    y0, weights, sigma
        (S, m) values, upstream, and standard deviation of the error of one evaluation; values and weights are 0
        where the function is not finite at `x`.
    dead
        (S, m) outputs that are not finite at `x`: they are left out.
    noise
        (S,) noise of the weighted sum of a slice's outputs.
    common
        (S,) how many times the noise of a slice's weighted sum exceeds that of independent errors.
    rho
        Typical noise in units in the last place.
    steps, shortest
        (S, n) step of every input, and the shortest one that its own rounding leaves meaningful.
    relative
        The steps as a multiple of the inputs' length scales.
    condition
        Relative error of an input that the noise is worth: no entry is known better than this times x times its slope.
    audit
        Columns that are measured with four evaluations from the start.
    deterministic
        Whether two calls at `x` gave the same bits.
    plateau
        Whether the function moves in steps that are large beside any useful move.
    evaluations
        Forward calls spent.
    """

    x: Array
    layout: Layout
    precision: Precision
    home: Array
    y0: Array
    weights: Array
    sigma: Array
    dead: Mask
    noise: Array
    common: Array
    rho: float
    steps: Array
    shortest: Array
    relative: float
    condition: float
    audit: Indices
    deterministic: bool
    plateau: bool
    evaluations: int


def survey(
    function: Function | Evaluator,
    x: Array,
    weights: Array,
    layout: Layout,
    rng: np.random.Generator,
    precision: Precision,
    eps: float | None = None,
) -> Survey:
    """Measure value, noise and steps around `x` with some 14 to 50 evaluations.

    Parameters
    ----------
    function
        Takes a float64 array of the shape of `x`, returns M numbers.
    x
        The point; on the grid of `precision` (see :func:`gradcheck.numeric.precision.round_to_grid`).
    weights
        (M,) upstream.
    layout
        Slices; ``Layout.whole(N, M)`` if nothing is known. Two inputs are moved alone to see whether the slices
        hold; if they do not, the survey's own layout is a whole.
    rng
        Generator of the directions.
    precision
        As found by :func:`gradcheck.numeric.precision.detect_precision`.
    eps
        Absolute step for all inputs, instead of a measured one.

    Raises
    ------
    NotLocalError
        If the slices of a coloured layout do not hold.
    """
    evaluate = as_evaluator(function)
    before = evaluate.count
    x = np.array(x, dtype=np.float64)
    first = evaluate(x)
    again = evaluate(x)
    deterministic = bool(np.array_equal(first, again, equal_nan=True))
    y0 = layout.gather_outputs(first)
    dead = ~np.isfinite(y0)
    y0 = np.where(dead, 0.0, y0)
    use = np.where(dead, 0.0, layout.gather_outputs(np.asarray(weights, dtype=np.float64).reshape(-1)))
    scale = length_scales(x, layout)
    with np.errstate(all="ignore"):
        if x.size and y0.size:
            noise = measure_noise(evaluate, x, y0, use, layout, careful_scales(x, scale), precision, rng)
            sigma = np.maximum(noise.sigma, layout.leak)
            noise = replace(noise, sigma=sigma)
            if not deterministic:
                sigma = np.maximum(sigma, layout.gather_outputs(_unrest(evaluate, x, first, again)))
                noise = replace(noise, sigma=sigma)
            stride = first_stride(noise, y0, use, layout, precision)
            if eps is None:
                stride = correct_stride(evaluate, x, y0, use, layout, scale, noise, stride, precision)
            relative, rho, plateau, common = stride.relative, noise.rho, noise.plateau, noise.common
        else:
            sigma, relative, rho, plateau = np.zeros(y0.shape), precision.eps ** (1 / 3), 0.5, False
            common = np.ones(layout.slices)
        size = np.where(np.isfinite(x), np.abs(x), 1.0)
        shortest = power_of_two(np.maximum(2.0**5 * precision.eps * size, 2.0**-960))
        steps = np.maximum(power_of_two(relative * scale), 2 * shortest)
    if eps is not None:
        steps = np.full(x.shape, float(eps))
    chosen = min(_AUDITED, layout.width)
    found = Survey(
        x=x,
        layout=layout,
        precision=precision,
        home=first,
        y0=y0,
        weights=use,
        sigma=sigma,
        dead=dead,
        noise=common * root_sum_squares(use * sigma),
        common=common,
        rho=rho,
        steps=layout.gather_inputs(steps),
        shortest=layout.gather_inputs(shortest),
        relative=relative,
        condition=precision.eps * min(rho, 2.0**33),
        audit=np.sort(rng.choice(layout.width, chosen, replace=False)),
        deterministic=deterministic,
        plateau=plateau,
        evaluations=evaluate.count - before,
    )
    if layout.slices > 1 and not _independent(evaluate, found, rng):
        if layout.colours is not None:
            raise NotLocalError
        return survey(evaluate, x, weights, Layout.whole(x.size, first.size), rng, precision, eps)
    return found


def _independent(evaluate: Evaluator, found: Survey, rng: np.random.Generator) -> bool:
    """Safety net: inputs moved alone do to their slice what they do with all slices moved, and nothing to others."""
    layout = found.layout
    for row, column in zip(
        rng.integers(layout.slices, size=_RECHECKED), rng.integers(layout.width, size=_RECHECKED), strict=True
    ):
        if not moves_alone(evaluate, found, int(row), int(column)):
            return False
    return True


def moves_alone(evaluate: Evaluator, found: Survey, row: int, column: int, sign: float = 1.0) -> bool:
    """Whether an input moved alone does to the outputs of its slice what it does with its column, and nothing else."""
    layout, home = found.layout, found.home
    together, alone = found.x.copy(), found.x.copy()
    rows = slice(None) if layout.colours is None else layout.colours == layout.colours[row]
    together.reshape(-1)[layout.inputs[rows, column]] += sign * found.steps[rows, column]
    alone.reshape(-1)[layout.inputs[row, column]] += sign * found.steps[row, column]
    own = layout.outputs[row]
    own = own[own < home.size]
    expected = home.copy()
    expected[own] = evaluate(together)[own]
    seen = evaluate(alone)
    off = (np.abs(seen - expected) > 2 * layout.leak) & np.isfinite(home) & (seen != expected)
    return not (found.deterministic and bool(off.any()))


def _unrest(evaluate: Evaluator, x: Array, first: Array, again: Array) -> Array:
    """Noise of a function that answers differently each time: how far apart consecutive answers are, at most.

    A drift with the number of calls looks like a slope along any sequence of moves; seen at rest it does not.
    """
    values = np.stack([first, again, *(evaluate(x) for _ in range(_REPEATS))])
    apart = np.abs(np.diff(values, axis=0)).max(axis=0)
    return np.where(np.isfinite(apart), apart, 0.0)
