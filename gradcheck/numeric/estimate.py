"""The derivative from differences at h and 2h, and how far it may be from the truth.

With D1, D2 the central differences at h and 2h, and q4 the fourth difference,

    n = (4 D1 - D2) / 3,    e = 3 * 0.95 sigma / h + (2/3) |D1 - D2| + |q4| / (3 h).

The first term is three standard deviations of the round-off of n. |D1 - D2| / 3 is the truncation of D1, and far above
that of n, which is of fourth order. The weights 2/3 and 1/3 are the smallest for which the last two terms bound the
error of n for one kink anywhere in the stencil: a slope that jumps by J at distance r h leaves an error of
J |6 - 7r| / 12 (r <= 1) or J (2 - r) / 12 (r <= 2), while |D1 - D2| = J r / 4 and |q4| / h = J |3r - 2|.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gradcheck.numeric.evaluate import Array, Indices, Mask, median, pick, root_mean_square, root_sum_squares
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.slopes import Slopes
from gradcheck.numeric.survey import Survey

DEVIATIONS = 3.0
# of two evaluations below float64: in long steps all entries of a slice may share one rounding, and doubt is dear there
_COARSE_DEVIATIONS = 4.0
_FOUR = 0.95  # standard deviation of n, in sigma / h
_TWO = 0.75  # of D1: sqrt(1/2), rounded up
_ONE_SIDED = 2.55  # of 2 F(h) - F(2h)
_MOST_INFLATION = 30.0


@dataclass(eq=False, slots=True)
class Estimate:
    """Derivatives of the weighted outputs and their bounds; arrays are (S, C).

    Attributes
    ----------
    value
        nan where the function is not finite on either side.
    roundoff, truncation
        The two parts of the bound; truncation is 0 where only two evaluations were made.
    ahead, behind
        Slopes beside the point, from h to 2h: those of a function that jumps at the point itself.
    lower, upper
        Range of the one-sided slopes, per output where that was asked for.
    half
        The near step.
    still
        Whether no bit of any output changed.
    one_sided
        Whether the value comes from one side, the other being outside the domain.
    """

    value: Array
    roundoff: Array
    truncation: Array
    ahead: Array
    behind: Array
    lower: Array
    upper: Array
    half: Array
    still: Mask
    one_sided: Mask

    @classmethod
    def joined(cls, parts: list[Estimate]) -> Estimate:
        """Estimates of the columns of all parts."""
        return cls(*(np.concatenate([getattr(part, item.name) for part in parts], axis=1) for item in fields(cls)))

    def columns(self, chosen: Indices | Mask) -> Estimate:
        """Estimates of some of the columns."""
        return Estimate(*(pick(getattr(self, item.name), chosen) for item in fields(self)))

    @property
    def bound(self) -> Array:
        """How far the value may be from the true derivative; infinite where there is no value."""
        with np.errstate(invalid="ignore"):
            total = self.roundoff + self.truncation
        return np.where(np.isfinite(self.value) & np.isfinite(total), total, np.inf)


@dataclass(eq=False, slots=True)
class Context:
    """What the columns of an input say about each other's noise.

    Attributes
    ----------
    typical
        (S, n) size of the gradient around an entry.
    inflation
        How many times the local noise, seen in fourth differences, exceeds that of the table.
    """

    typical: Array
    inflation: float = 1.0


def combine(near: Slopes, far: Slopes, survey: Survey, columns: Indices, context: Context) -> Estimate:
    """Estimate from slopes at h and 2h."""
    with np.errstate(invalid="ignore", over="ignore"):
        value = (4 * near.central - far.central) / 3
        fourth = far.bend - 4 * near.bend
        truncation = (2 / 3) * np.abs(near.central - far.central) + np.abs(fourth) / (3 * near.half)
        sigma = entry_noise(np.maximum(near.last_place, far.last_place), survey, columns, context)
        roundoff = DEVIATIONS * _FOUR * sigma / near.half
        ahead, behind = 2 * near.forward - far.forward, 2 * near.backward - far.backward
        one_sided = ~np.isfinite(value) & (np.isfinite(ahead) ^ np.isfinite(behind))
        if one_sided.any():
            side = np.where(np.isfinite(ahead), ahead, behind)
            drift = np.where(np.isfinite(ahead), near.forward - far.forward, near.backward - far.backward)
            reach = np.nan_to_num(near.last_place, nan=0.0, posinf=0.0)
            sigma = entry_noise(reach, survey, columns, context)
            value = np.where(one_sided, side, value)
            # the change of the slope, three times: the edge of a domain is often a singularity
            truncation = np.where(one_sided, 3 * np.abs(drift), truncation)
            roundoff = np.where(one_sided, DEVIATIONS * _ONE_SIDED * sigma / near.half, roundoff)
        lower = np.minimum(near.lower, np.minimum(near.forward, near.backward))
        upper = np.maximum(near.upper, np.maximum(near.forward, near.backward))
        beside = (2 * far.forward - near.forward, 2 * far.backward - near.backward)
        still = ~(near.moved | far.moved)
    return Estimate(value, roundoff, truncation, *beside, lower, upper, near.half, still, one_sided)


def from_two(near: Slopes, survey: Survey, columns: Indices, context: Context) -> Estimate:
    """Estimate from slopes at h alone. Its truncation is not known: it may confirm a claim, and refute none."""
    sigma = entry_noise(near.last_place, survey, columns, context)
    deviations = DEVIATIONS if survey.precision.name == "float64" else _COARSE_DEVIATIONS
    with np.errstate(invalid="ignore", over="ignore"):
        roundoff = deviations * _TWO * sigma / near.half
        lower, upper = np.minimum(near.forward, near.backward), np.maximum(near.forward, near.backward)
    none = np.zeros(near.central.shape)
    sides = (near.forward, near.backward)
    return Estimate(near.central, roundoff, none, *sides, lower, upper, near.half, ~near.moved, none > 0)


def entry_noise(last_place: Array, survey: Survey, columns: Indices, context: Context) -> Array:
    """(S, C) standard deviation of the weighted outputs.

    Outputs that a column does not move count as well, since that they did not may be rounding. Measured at x, but no
    less than rounding at the stencil's ends, and than what a rounding of the input would make.
    """
    size = np.abs(pick(survey.layout.gather_inputs(survey.x), columns))
    of_input = survey.condition * size * pick(context.typical, columns)
    of_output = survey.rho * (survey.precision.eps / 2.0**-52) * last_place
    table = (context.inflation * survey.noise)[:, None]
    return np.maximum(table, np.maximum(np.nan_to_num(of_input, nan=0.0), np.nan_to_num(of_output, nan=0.0)))


def typical_size(values: Array, survey: Survey, layout: Layout) -> Array:
    """(S, n) root mean square of the gradient around each entry.

    Over the slice, or over everything where they overlap; where slices are single entries, over 33 neighbours in order
    of the inputs' magnitude.
    """
    finite = np.where(np.isfinite(values), values, 0.0)
    if layout.colours is not None:  # inputs of one whole, however they are moved
        return np.full(layout.inputs.shape, root_mean_square(finite))
    if layout.width != 1:
        rows = root_sum_squares(finite)[:, None] / np.sqrt(max(finite.shape[1], 1))
        return np.broadcast_to(rows, (layout.slices, layout.width))
    order = np.argsort(np.abs(layout.gather_inputs(survey.x)).ravel(), kind="stable")
    squares = (finite.ravel() ** 2)[order]
    reach = min(16, squares.size)
    sums = np.convolve(np.pad(squares, reach, mode="edge"), np.ones(2 * reach + 1), "valid")
    result = np.empty_like(sums)
    result[order] = np.sqrt(sums / (2 * reach + 1))
    return result[:, None]


def local_inflation(near: Slopes, far: Slopes, survey: Survey) -> float:
    """Noise in the audited columns' fourth differences, as a multiple of that in the table (from 1 to 30)."""
    if near.bends is None or far.bends is None or not near.bends.size:
        return 1.0
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        differences = (two - 4 * one for one, two in zip(near.bends, far.bends, strict=True))  # each fits into a cache
        fourth = np.stack([root_sum_squares(survey.weights * part) for part in differences], axis=1) / np.sqrt(70)
        ratio = fourth / survey.noise[:, None]
    usable = np.isfinite(ratio) & (fourth > 0)
    if not usable.any():
        return 1.0
    return float(np.clip(median(ratio[usable]) / 0.6745, 1.0, _MOST_INFLATION))
