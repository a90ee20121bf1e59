"""In which precision a function works inside, seen from its values and not from its dtypes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from gradcheck.numeric.evaluate import Array, Evaluator, Function, Mask, as_evaluator


@dataclass(frozen=True, slots=True)
class Precision:
    """A working precision.

    Attributes
    ----------
    eps
        Distance from 1 to the next number.
    name
        ``float64``, ``float32`` or ``float16``.
    tiny
        Smallest normal number.
    evaluations
        Forward calls spent on finding it.
    """

    eps: float
    name: str
    tiny: float
    evaluations: int = 0


DOUBLE = Precision(2.0**-52, "float64", 2.0**-1022)
SINGLE = Precision(2.0**-23, "float32", 2.0**-126)
HALF = Precision(2.0**-10, "float16", 2.0**-14)

_MOVES = (2.0**-10, 2.0**-5, 2.0**-2, 2.0)


def round_to_grid(x: Array, precision: Precision) -> Array:
    """Move `x` to numbers that the precision can hold, so that the function's own cast of x changes nothing."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = x.astype(precision.name).astype(np.float64)
    return np.where(np.isfinite(rounded), rounded, x)


def detect_precision(function: Function | Evaluator, x: Array, y0: Array, rng: np.random.Generator) -> Precision:
    """Find the working precision of `function` from its values at some 3 to 8 other points.

    Parameters
    ----------
    function
        Function of one float64 array that returns M numbers.
    x
        Float64 point of any shape.
    y0
        (M,) values at `x`.
    rng
        Generator of the moves.

    Returns
    -------
    Precision
        float32 or float16 where the outputs that move lie on that grid, or where a move below the grid's resolution
        is not seen by the function (it casts its input although it returns float64); float64 otherwise.
    """
    evaluate = as_evaluator(function)
    before = evaluate.count
    if x.size == 0 or y0.size == 0:
        return DOUBLE
    size = np.where(np.isfinite(x), np.abs(x), 1.0)
    typical = float(np.sqrt(np.mean(size * size))) or 1.0
    one_signed = bool(np.all(x >= 0) or np.all(x <= 0))  # probabilities, variances: stay on their side
    scale = np.where(size > 0, size, typical) if one_signed else np.maximum(size, typical)
    sign = rng.choice([-1.0, 1.0], size=x.shape)
    seen: list[Array] = []
    moved = np.zeros((len(_MOVES), y0.size), dtype=bool)
    found = DOUBLE
    for number, relative in enumerate(_MOVES):
        # not a power of two: x on the float32 grid plus a dyadic step would stay on it, and so would an identity
        values = evaluate(x + relative * scale * sign * rng.uniform(0.75, 1.25, size=x.shape))
        moved[number] = values != y0
        seen.append(values[moved[number]])
        found, informative = _grid_of(np.concatenate(seen))
        if informative >= 8 or (informative >= 2 and number >= 1):
            break
    if informative == 1:  # a scalar that reached one other value: with that at x they are two
        found, _ = _grid_of(np.concatenate([*seen, y0[moved.any(axis=0)]]))
    if found is DOUBLE and _visible(moved, number):
        found = _casts_input(evaluate, x, y0, sign)
    return Precision(found.eps, found.name, found.tiny, evaluate.count - before)


def _grid_of(values: Array) -> tuple[Precision, int]:
    """Coarsest grid that a good part of the values lies on, and how many values say something about it."""
    # asked for the counts as well, np.unique does not import numpy.ma, which takes as long as a small check
    sizes = np.unique(np.abs(values[np.isfinite(values) & (values != 0)]), return_counts=True)[0]
    mantissa = np.frexp(sizes)[0] * 2.0**8
    sizes = sizes[mantissa != np.round(mantissa)]  # short dyadic numbers (0.5, 3, 1.25 ...) lie on every grid
    if sizes.size == 0:
        return DOUBLE, 0
    # a quarter is enough: one output of several may be narrow; chance puts a double on the float32 grid once in 2^29
    for precision in (HALF, SINGLE):
        if int(np.sum(_on_grid(sizes, precision.name))) >= max(2, 0.25 * sizes.size):
            return precision, int(sizes.size)
    return DOUBLE, int(sizes.size)


def _on_grid(values: Array, dtype: DTypeLike) -> Mask:
    with np.errstate(over="ignore", under="ignore"):
        on: Mask = values == values.astype(dtype).astype(np.float64)
    return on


def _visible(moved: Mask, number: int) -> bool:
    """Whether a good part of the outputs answers the smallest move; steps and plateaus do not, a cast input does."""
    ever = int(moved[: number + 1].any(axis=0).sum())
    return ever > 0 and int(moved[0].sum()) >= 0.25 * ever


def _casts_input(evaluate: Evaluator, x: Array, y0: Array, sign: Array) -> Precision:
    """Find the cast by moves below half a unit of the coarser grid that change no bit of the output."""
    single = round_to_grid(x, SINGLE)
    there = y0 if np.array_equal(single, x) else evaluate(single)
    if not _same(evaluate(single * (1 + 2.0**-27 * sign)), there):
        return DOUBLE
    # a move of a few units of the grid must be seen, or the function is only flat here, or dwarfed by a constant
    if _same(evaluate(single * (1 + 2.0**-21 * sign)), there):
        half = round_to_grid(x, HALF)
        centre = evaluate(half)
        flat = _same(evaluate(half * (1 + 2.0**-14 * sign)), centre)
        seen = not _same(evaluate(half * (1 + 2.0**-8 * sign)), centre)
        return HALF if flat and seen else DOUBLE
    return SINGLE


def _same(one: Array, other: Array) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))
