"""How far to move: length scales of the inputs, the relative step from the noise, and its pilot correction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numeric.evaluate import Array, Evaluator, median, percentile, root_sum_squares
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.noise import Noise
from gradcheck.numeric.precision import Precision

_LOW, _HIGH = 6.0, 30.0  # wanted ratio of truncation to round-off
_TRIALS = 6
_SPECK = 2.0**-12  # share of its length scale below which an input is moved within its own size


@dataclass(eq=False, slots=True)
class Stride:
    """The relative step.

    Attributes
    ----------
    relative
        Step as a multiple of the length scales.
    longest
        Relative step beyond which no polynomial of low degree can be hoped for.
    """

    relative: float
    longest: float


def length_scales(x: Array, layout: Layout) -> Array:
    """Length over which a function of `x` may be thought to change, per input, at most 1.

    Where all inputs have one sign (probabilities, variances) it is the size of the input itself, so that no step
    crosses zero (from zero itself it must); otherwise at least the root mean square of the slice.
    """
    size = np.where(np.isfinite(x), np.abs(x), 1.0)
    if not size.size:
        return size
    overall = float(root_sum_squares(size.reshape(1, -1))[0] / np.sqrt(size.size)) or 1.0
    if layout.width > 1:
        rows = layout.gather_inputs(size)
        typical = root_sum_squares(rows)[:, None] / np.sqrt(layout.width)
        typical = np.where(typical > 0, typical, overall)
        around = layout.scatter_inputs(np.broadcast_to(typical, rows.shape).copy(), x.shape)
    else:
        around = np.full(x.shape, overall)
    one_signed = bool(np.all(x >= 0) or np.all(x <= 0))
    scale = np.minimum(1.0, size if one_signed else np.maximum(size, around))
    return np.maximum(np.where(scale > 0, scale, np.minimum(1.0, around)), 2.0**-900)


def own_sizes(x: Array) -> Array:
    """Size of every entry; of a zero, the least root mean square of a line of entries through it."""
    size = np.where(np.isfinite(x), np.abs(x), 1.0)
    if not size.size or size.all():
        return size
    return np.where(size > 0, size, line_sizes(x))


def line_sizes(x: Array) -> Array:
    """Least root mean square of a line of entries, along any axis, through every entry; 1 where all lines are 0."""
    size = np.where(np.isfinite(x), np.abs(x), 1.0)
    around = np.full(x.shape, np.inf)
    for axis in range(x.ndim if size.size else 0):
        typical = root_sum_squares(np.moveaxis(size, axis, -1)) / np.sqrt(x.shape[axis])
        around = np.minimum(around, np.expand_dims(np.where(typical > 0, typical, np.inf), axis))
    return np.where(np.isfinite(around), around, 1.0)


def careful_scales(x: Array, scale: Array) -> Array:
    """Length scales for moves of all inputs at once; inputs far smaller than theirs move within their own size.

    One input that is carried across what happens around it would look like noise, or a kink, in all outputs.
    """
    own = own_sizes(x)
    return np.where(own < _SPECK * scale, own, scale)


def first_stride(noise: Noise, y0: Array, weights: Array, layout: Layout, precision: Precision) -> Stride:
    """Relative step that balances the measured noise against an unknown third derivative of the scale of the first."""
    per_slice = root_sum_squares(weights * noise.sigma)
    sizes = root_sum_squares(weights * y0)
    live = noise.moved.any(axis=1)
    if layout.slices >= 8 and live.any():
        # many slices: the median, so that a few kinked or saturated ones do not set the step of all
        roundoff = median(per_slice[live])
        size = median(sizes[live])
        gradient = median(np.abs(noise.slope[live])) / 0.6745 / np.sqrt(layout.width)
    else:
        roundoff = _mean_square(per_slice)
        size = _mean_square(sizes)
        gradient = _mean_square(noise.slope) / np.sqrt(max(layout.width, 1))
    of_value = float(np.clip(roundoff / size if size > 0 else precision.eps, precision.eps / 4, 0.01))
    of_slope = roundoff / gradient if gradient > 0 else of_value
    longest = of_value ** (1 / 5)
    return Stride(float(np.clip((3 * of_slope) ** (1 / 3), (3 * of_value) ** (1 / 3) / 4, longest)), longest)


def correct_stride(
    evaluate: Evaluator,
    x: Array,
    y0: Array,
    weights: Array,
    layout: Layout,
    scale: Array,
    noise: Noise,
    stride: Stride,
    precision: Precision,
) -> Stride:
    """Shorten or lengthen the stride until truncation is some 6 to 30 times the noise (4 evaluations a trial)."""

    def ratio(relative: float) -> float:
        return _truncation_ratio(evaluate, x, y0, weights, layout, noise, relative)

    relative = stride.relative
    now = ratio(relative)
    if np.isnan(now):
        return stride
    if now > _HIGH:
        shortest = 2.0**7 * precision.eps
        for _ in range(_TRIALS):
            if median(relative * scale / np.maximum(np.abs(x), 1e-300)) < shortest or now <= _HIGH:
                break
            factor = min(16.0, max(2.0, 2 ** np.floor(np.log2((now / _LOW) ** (1 / 3))))) if np.isfinite(now) else 16.0
            then = ratio(relative / factor)
            if np.isnan(then) or then > 1.5 * now:
                break
            relative, now = relative / factor, then
    else:
        # inputs far larger than 1 may bear steps far larger than 1: let the measured truncation say so
        typical = median(scale)
        # few large entries among small ones set the length over which a slice changes, but none of its own kind
        extent = max(1.0, median(root_sum_squares(layout.gather_inputs(x)) / np.sqrt(max(layout.width, 1))))
        factor = 64.0 if extent > 64 * typical else 4.0
        for _ in range(_TRIALS):
            longer = factor * relative
            if longer * typical > stride.longest * extent or longer > 64 * extent:
                if factor == 4:
                    break
                factor = 4.0
                continue
            if ratio(longer) <= _LOW:
                relative = longer
            elif factor > 4:
                factor = 4.0
            else:
                break
    return Stride(relative, stride.longest)


def _truncation_ratio(
    evaluate: Evaluator, x: Array, y0: Array, weights: Array, layout: Layout, noise: Noise, relative: float
) -> float:
    """Truncation over round-off of a dense step; infinite where it leaves the domain, nan where nothing can be said.

    The direction is that of the noise table, whose short steps gave the slope: a step of a whole period of the
    function would otherwise look like a perfect one.
    """
    roundoff = root_sum_squares(weights * noise.sigma)
    step = relative * noise.direction
    values = evaluate.many(x + j * step for j in (1, 2, -1, -2))
    one, two, minus_one, minus_two = (layout.gather_outputs(value.copy()) for value in values)
    finite = np.isfinite(one) & np.isfinite(two) & np.isfinite(minus_one) & np.isfinite(minus_two)
    if 2 * int(finite.sum()) < finite.size:
        return float(np.inf)
    use = np.where(finite, weights, 0.0)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        change = np.where(finite, two - minus_two, 0.0)
        near = (np.where(finite, one - minus_one, 0.0) * use).sum(axis=1) / (2 * relative)
        far = (change * use).sum(axis=1) / (4 * relative)
        fourth = (two - y0) + (minus_two - y0) - 4 * ((one - y0) + (minus_one - y0))
        bend = np.abs((np.where(finite, fourth, 0.0) * use).sum(axis=1)) / (3 * relative)
        truncation = (2 / 3) * np.abs(near - far)
        astray = np.abs(near - noise.slope) - 4 * noise.slope_error
        floor = 0.95 * roundoff / relative
        live = np.abs(change).sum(axis=1) > 0
        kinked = (bend > 0.2 * truncation) & (bend > 12 * floor)
        usable = live & ~kinked & (floor > 0)
        if not noise.plateau:
            truncation = np.maximum(truncation, astray)
        ratios = ((truncation + bend) / floor)[usable]
    if not ratios.size:
        return float(np.nan)
    if ratios.size < 4:
        return float(np.sqrt(np.mean(np.minimum(ratios, 1e8) ** 2)))
    return percentile(ratios, 60)


def _mean_square(values: Array) -> float:
    return float(root_sum_squares(values.reshape(1, -1))[0] / np.sqrt(max(values.size, 1)))
