"""Noise of a function's outputs, from a difference table along one random direction.

The table is that of Moré and Wild, "Estimating Computational Noise" (SIAM J. Sci. Comput. 33, 2011), with random,
non-dyadic spacing per input: dyadic steps keep the low-order bits of x and hide rounding errors that are invariant
under translation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import comb

import numpy as np

from gradcheck.numeric.evaluate import Array, Evaluator, Mask, median, percentile, root_sum_squares
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.precision import Precision

_REACH = 4  # points on each side of x
_SPACINGS = {
    "float64": (2.0**-18, 2.0**-10, 2.0**-6, 2.0**-3),
    "float32": (2.0**-9, 2.0**-5, 2.0**-2),
    "float16": (2.0**-4, 0.5),
}
_CLOSER = 3  # tables of ever smaller spacing where noise is suspected to be something else
_CHUNK = 1 << 17  # numbers of a table that are worked on together
_JUMP = 1e3  # times the others that a step is larger where the function jumps
_STILL = 0.7  # share of the steps without any change above which an output moves in jumps


@dataclass(eq=False, slots=True)
class Noise:
    """What the table says.

    Attributes
    ----------
    sigma
        (S, m) standard deviation of the error of one evaluation, per output.
    rho
        Typical sigma in units in the last place of the working precision.
    common
        (S,) noise of a slice's weighted sum over that of independent errors of its outputs; at least 1.
    direction
        The random direction, of the shape of x: every input's length scale with a random sign and size.
    slope, slope_error
        (S,) derivative of the weighted outputs along it, and the round-off in it.
    moved
        (S, m) outputs that change along it.
    plateau
        Whether most outputs that should move stand still for most steps.
    """

    sigma: Array
    rho: float
    common: Array
    direction: Array
    slope: Array
    slope_error: Array
    moved: Mask
    plateau: bool


@dataclass(eq=False, slots=True)
class _Table:
    values: Array  # (9, S, m)
    sigma: Array  # (S, m)
    settled: Mask  # (S, m): three consecutive levels agree
    total: Array  # (S,) standard deviation of the weighted sum
    still: Array  # (S, m): share of steps in which the output does not change


def measure_noise(
    evaluate: Evaluator,
    x: Array,
    y0: Array,
    weights: Array,
    layout: Layout,
    scale: Array,
    precision: Precision,
    rng: np.random.Generator,
) -> Noise:
    """Estimate the noise of every output around `x` (8 evaluations; up to 64 for jumps, kinks and poles).

    Parameters
    ----------
    y0, weights
        (S, m) finite values at `x`, and the upstream.
    scale
        Length scale of every input, of the shape of `x`.
    """
    # one direction for all tables, or they could not be compared
    direction = scale * rng.choice([-1.0, 1.0], size=x.shape) * rng.uniform(0.75, 1.25, size=x.shape)
    tables = []
    for spacing in _SPACINGS[precision.name]:
        table = _tabulate(evaluate, x, y0, layout, spacing * direction, weights)
        moved = (table.values != table.values[0]).any(axis=0)
        plateau = not moved.any() or float(np.mean(table.still[moved] > _STILL)) > 0.5
        tables.append((spacing, table, moved))
        if not plateau:
            # still where steps were far longer than any rounding: noise would have moved it there as well
            plateau = _has_even_steps([each.values for _, each, _ in tables[:-1]]) and _is_staircase(
                evaluate, x, layout, direction, table, spacing, tables[0][0]
            )
            break
    if plateau:  # jumps far apart are no noise: the function is flat between them
        spacing, table, moved = tables[0]
        moved = moved & (table.still <= _STILL)
        table.sigma[~moved] = 0.0
    jumped = find_jumps(table.values)
    sound = moved & ~jumped
    unit = np.maximum(np.spacing(np.abs(y0)) * (precision.eps / 2.0**-52), precision.tiny * precision.eps)
    # for the ratio, the unit of the largest value met: at y = 0 the unit is nothing, yet values around it are rounded
    farthest = np.abs(np.maximum(table.values.max(axis=0), -table.values.min(axis=0)))
    reached = np.maximum(unit, np.spacing(farthest) * (precision.eps / 2.0**-52))
    sigma, rho, reach = table.sigma, _typical(table.sigma, reached, sound), spacing
    for _ in range(_CLOSER):
        below_grid = median(spacing * scale) < 2.0**7 * precision.eps * median(np.abs(x))
        if below_grid or (rho <= 64 and not bool(np.any(sound & (sigma > 64 * rho * reached)))):
            break
        spacing /= 16
        closer = _tabulate(evaluate, x, y0, layout, spacing * direction, weights)
        sigma, rho, again = _without_slope(replace(table, sigma=sigma), closer, reached, sound)
        if not again:
            break
        table, reach = closer, spacing
    sigma = np.where(jumped, 0.0, sigma)  # one jump says where the function jumps, nothing of its noise
    sigma = np.maximum(np.maximum(sigma, rho * unit), 4 * precision.tiny)
    rise = (table.values[_REACH + 1] - table.values[_REACH - 1]) * weights
    slope = rise.sum(axis=1) / (2 * reach)
    slope_error = root_sum_squares(weights * sigma) / reach
    jumps = plateau and any(bool(seen.any()) for _, _, seen in tables)
    apart = root_sum_squares(weights * np.where(moved, table.sigma, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        common = np.where(apart > 0, table.total / apart, 1.0)
    # below 1.5 it is the scatter of an estimate from eight differences
    common = np.where((common > 1.5) & (common <= np.sqrt(y0.shape[1])), common, 1.0)
    return Noise(sigma, rho, common, direction, slope, slope_error, moved, jumps)


def _tabulate(evaluate: Evaluator, x: Array, y0: Array, layout: Layout, step: Array, weights: Array) -> _Table:
    values = np.empty((2 * _REACH + 1, *y0.shape))
    values[_REACH] = y0
    places = [j for j in range(-_REACH, _REACH + 1) if j]
    for j, value in zip(places, evaluate.many(x + j * step for j in places), strict=True):
        values[_REACH + j] = layout.gather_outputs(value)
    rows = max(1, _CHUNK // max(values[:, 0].size, 1))  # of a large table as much as a cache holds
    starts = range(0, max(len(y0), 1), rows)
    parts = [_difference(values[:, i : i + rows], y0[i : i + rows], weights[i : i + rows]) for i in starts]
    sigma, settled, total, still = (np.concatenate(found) for found in zip(*parts, strict=True))
    return _Table(values, sigma, settled, total, still)


def _difference(values: Array, y0: Array, weights: Array) -> tuple[Array, Mask, Array, Array]:
    """Noise that the levels of the difference table of (9, S, m) values show; see the fields of the table."""
    # an output that leaves its domain on the way says nothing about its noise: it counts as unmoved
    finite = np.isfinite(values).all(axis=0)
    if not finite.all():
        values[:] = np.where(finite, values, y0)
    levels, alternates = [], []
    difference = values
    for k in range(1, 2 * _REACH + 1):
        difference = np.diff(difference, axis=0)
        if k == 1:
            still = np.mean(difference == 0, axis=0)
        # the weighted sum is summed from differences: its own rounding would be that of its large parts
        sums = np.einsum("jsm,sm->js", difference, weights)[:, :, None]
        sides = [
            _join(part.min(axis=0) for part in (difference, sums)),
            _join(part.max(axis=0) for part in (difference, sums)),
        ]
        alternates.append((sides[0] < 0) & (sides[1] > 0))
        levels.append(_join(map(_lengths, (difference, sums))) / np.sqrt(len(difference) * comb(2 * k, k)))
    sigma = np.min(levels[2:], axis=0)
    settled = np.zeros(sigma.shape, dtype=bool)
    for k in range(1, len(levels) - 2):
        one, two, three = levels[k : k + 3]
        most = np.maximum(np.maximum(one, two), three)
        agree = (most <= 4 * np.minimum(np.minimum(one, two), three)) & alternates[k] & ~settled
        sigma = np.where(agree, most, sigma)
        settled |= agree
    return sigma[:, :-1], settled[:, :-1], sigma[:, -1], still


def _join(parts: Iterable[Array]) -> Array:
    """(S, m) values of the outputs and (S, 1) of their weighted sum as (S, m + 1)."""
    return np.concatenate(list(parts), axis=1)


def _lengths(values: Array) -> Array:
    """Root of the sum of squares along the first axis."""
    plain: Array = np.sqrt(np.einsum("jsm,jsm->sm", values, values))
    if bool(((plain == 0) | ((plain > 1e-140) & (plain < 1e140))).all()) and not _vanishes(values, plain):
        return plain
    return root_sum_squares(np.moveaxis(values, 0, -1))


def _vanishes(values: Array, lengths: Array) -> bool:
    """Whether squares were lost below the range of numbers."""
    return bool(values[:, lengths == 0].any())


def _has_even_steps(tables: list[Array]) -> bool:
    """Whether outputs of different size jump by one and the same height in tables in which they hardly move.

    Rounding to a floating-point format that nobody has noticed jumps as well, but higher where numbers are larger.
    """
    heights, sizes = [], []
    for values in tables:
        jumps = np.abs(np.diff(values, axis=0))
        lowest = np.min(np.where(jumps > 0, jumps, np.inf), axis=0)
        seen = np.isfinite(lowest)
        heights.append(lowest[seen])
        sizes.append(np.abs(values[_REACH][seen]))
    height, size = np.concatenate(heights or [np.empty(0)]), np.concatenate(sizes or [np.empty(0)])
    if not height.size:
        return False
    # the difference of two outputs is as exact as they are
    even = np.ptp(height) <= 2.0**-40 * (height.min() + size.max())
    return bool(even and size.max() >= 4 * max(size.min(), height.min() / 2))


def _is_staircase(
    evaluate: Evaluator, x: Array, layout: Layout, direction: Array, table: _Table, spacing: float, closest: float
) -> bool:
    """Whether outputs that change from point to point of a table stand still halfway between the points (16 calls).

    A function that is flat around x alone, as a ReLU of negative numbers is, moves on the way to other values.
    """
    changed = np.diff(table.values, axis=0) != 0
    places = [(place + 0.5) * spacing + end for place in range(-_REACH, _REACH) for end in (-closest, closest)]
    sides = [layout.gather_outputs(value) for value in evaluate.many(x + place * direction for place in places)]
    still = np.stack([one == other for one, other in zip(sides[::2], sides[1::2], strict=True)])
    several = changed.sum(axis=0) > 1
    return bool(np.mean((still | ~changed).all(axis=0)[several]) > 0.5) if several.any() else False


def find_jumps(values: Array) -> Mask:
    """(S, m) outputs with one step far larger than the others, while these move as well: a jump within the table."""
    steps = np.diff(values, axis=0)
    np.abs(steps, out=steps)
    largest = steps.max(axis=0)
    # no usual step is less than the least: few outputs are left that need an order
    jumps: Mask = ~(largest <= _JUMP * steps.min(axis=0))
    usual = np.sort(steps[:, jumps], axis=0)[_REACH]
    jumps[jumps] = (usual > 0) & (largest[jumps] > _JUMP * usual)
    return jumps


def _typical(sigma: Array, unit: Array, moved: Mask) -> float:
    """Typical noise in units in the last place; the low tenth, since kinks and leftovers of slope only add to it."""
    ratio = (sigma / unit)[moved]
    if not ratio.size:
        return 0.5
    return max(0.5, 1.5 * (percentile(ratio, 10) if ratio.size >= 20 else median(ratio)))


def _without_slope(wide: _Table, close: _Table, unit: Array, moved: Mask) -> tuple[Array, float, bool]:
    """Tell noise from kinks and curvature by a second table of a sixteenth of the spacing: they shrink, noise stays.

    Returns
    -------
    sigma, rho
        Without the kinks.
    again
        Whether some outputs were curved too much for the wide table; then the close one may be too wide as well.
    """
    usable = (close.still < _STILL) | (wide.still > 0.3)
    movement = np.abs(np.diff(wide.values, axis=0)).max(axis=0)
    large = moved & usable & (wide.sigma > 64 * min(_typical(wide.sigma, unit, moved), 8.0) * unit)
    shrinks = close.sigma < wide.sigma / 4
    kinked = large & shrinks & (wide.sigma > 1e-3 * movement)
    smaller, larger = np.minimum(wide.sigma, close.sigma), np.maximum(wide.sigma, close.sigma)
    sure = wide.settled & close.settled & ~shrinks
    sigma = np.where(usable, np.where(sure, larger, smaller), wide.sigma)
    rho = _typical(sigma, unit, moved & ~kinked)
    return np.where(kinked, rho * unit, sigma), rho, bool(np.any(large & shrinks & ~kinked))
