"""The first look at an input: every column at h, a few audited ones at 2h as well."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.numeric.estimate import Context, Estimate, combine, from_two, local_inflation, typical_size
from gradcheck.numeric.evaluate import Array, Evaluator, Indices, Mask, power_of_two, root_mean_square, root_sum_squares
from gradcheck.numeric.slopes import Slopes, join_slopes, measure_slopes
from gradcheck.numeric.survey import Survey

_SHOWS = 0.5  # truncation, as a share of the round-off allowed for, that two evaluations would stumble over
_WITHIN, _SPARE = 0.8, 1.1  # how far on the safe side of that, and of the noise that an entry may bear, a step is
_LEAST, _MOST = 1 / 8, 32.0
_SIGNED = 1 / 8  # longest step where all inputs have one sign, as a share of the input


@dataclass(eq=False, slots=True)
class Blocks:
    """Derivatives of every output with respect to the inputs of its slice.

    Attributes
    ----------
    value
        (C, S, m), columns as they were asked for.
    audited
        Columns measured with four evaluations.
    near, far, half
        Slopes of those at h and 2h, and (C, S) the steps of all.
    inflation
        Of the noise; see :class:`~gradcheck.numeric.estimate.Context`.
    beyond
        (C, S) what is to be added to the noise at least, where that is known better.
    """

    value: Array
    audited: Mask
    near: Slopes
    far: Slopes
    half: Array
    inflation: float
    beyond: Array | None = None

    def bound(self, survey: Survey) -> Array:
        """(C, S, m) bounds: columns with two evaluations have at most the truncation of the audited ones."""
        _, bound, relative = output_derivatives(survey, self.near, self.far, self.inflation)
        noise = np.where(self.audited, 2.85, 2.25)[:, None] * self.inflation / self.half
        excess = (bound - noise[self.audited][:, :, None] * survey.sigma).max(axis=2, initial=0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            beyond = relative * root_sum_squares(self.value) / np.sqrt(max(self.value.shape[2], 1))
            beyond[self.audited] = np.maximum(excess, 0.0)
        if self.beyond is not None:
            beyond = np.maximum(beyond, self.beyond)
        total = noise[:, :, None] * survey.sigma + beyond[:, :, None]
        return np.where(np.isfinite(self.value) & np.isfinite(total), total, np.inf)


@dataclass(eq=False, slots=True)
class Look:
    """A measurement of C columns; arrays are (S, C) in the order of `columns`.

    Attributes
    ----------
    columns
        Column numbers: those measured with four evaluations, then the others.
    four
        How many of them were measured with four.
    near
        Slopes at h.
    estimate
        Derivatives and bounds; without truncation where only two evaluations were made.
    context
        What the columns say about each other's noise.
    parts
        Root mean square of an entry if the outputs' shares of it did not cancel.
    short
        (S, C) entries whose estimate comes from a step of their own, shorter than the survey's.
    stretch
        (S, C) how many times longer than the survey's was the step of an entry.
    blocks
        Derivatives per output, where they were asked for.
    """

    columns: Indices
    four: int
    near: Slopes
    estimate: Estimate
    context: Context
    parts: float
    survey: Survey
    short: Mask
    stretch: Array
    blocks: Blocks | None = None


def look(
    evaluate: Evaluator,
    survey: Survey,
    columns: Indices,
    *,
    all_four: bool,
    keep: bool,
    claim: Array | None = None,
    needed: Array | None = None,
) -> Look:
    """Measure the columns: four evaluations for the audited ones (or for all), two for the others.

    ``claim`` is the (S, n) claimed gradient, ``needed`` the bound with which each of its entries would be decided.
    Below float64 they and the audited columns correct the steps; the look's own survey has those of the others.
    """
    audited = np.isin(columns, survey.audit)
    if all_four or audited.sum() == 0 or len(columns) <= len(survey.audit):
        audited[:] = True if all_four or len(columns) <= len(survey.audit) else np.arange(len(columns)) < 4
    four, two = columns[audited], columns[~audited]
    # per output only for the audited ones, unless all are to be kept: the others need no memory of their outputs
    detailed = keep or len(four) <= len(survey.audit)
    near = measure_slopes(evaluate, survey, four, survey.steps[:, four], detail=detailed)
    far = measure_slopes(evaluate, survey, four, 2 * survey.steps[:, four], detail=detailed)
    stretch = np.ones((survey.layout.slices, len(columns)))
    if needed is not None and claim is not None and len(two) and survey.precision.name != "float64":
        better = _with_better_steps(survey, near, far, four, needed, claim)
        stretch[:, len(four) :] = better.steps[:, two] / survey.steps[:, two]
        survey = better
    kept = np.empty((len(columns), *survey.y0.shape)) if keep else None
    # written where they belong: a copy in another order would double the largest array there is
    rest = measure_slopes(evaluate, survey, two, survey.steps[:, two], store=kept, rows=np.flatnonzero(~audited))
    together = join_slopes([near, rest])
    context = Context(typical_size(together.central, survey, survey.layout), local_inflation(near, far, survey))
    estimate = Estimate.joined([combine(near, far, survey, four, context), from_two(rest, survey, two, context)])
    order, short = np.concatenate([four, two]), np.zeros(estimate.value.shape, dtype=bool)
    found = Look(order, len(four), together, estimate, context, _parts(near, survey), survey, short, stretch)
    if kept is not None:
        kept[audited] = _value(near, far)
        half = np.empty(kept.shape[:2])
        half[audited], half[~audited] = near.half.T, rest.half.T
        found.blocks = Blocks(kept, audited, near, far, half, context.inflation)
    return found


def _with_better_steps(survey: Survey, near: Slopes, far: Slopes, four: Indices, needed: Array, claim: Array) -> Survey:
    """Shorten the steps of entries whose truncation would show, lengthen those that would be lost in the noise.

    The noise falls with the step, and the truncation of a central difference grows with its square. A step that is too
    long makes two evaluations disagree with what is right, and one that is too short leaves it open: both cost more
    evaluations, and neither a verdict. The noise of a slice and its truncation, as a share of the gradient, are those
    of the audited columns; how much of either an entry bears is known from the claim.
    """
    context = Context(np.zeros((survey.layout.slices, survey.layout.width)), local_inflation(near, far, survey))
    with np.errstate(all="ignore"):
        noise = from_two(near, survey, four, context).roundoff.max(axis=1, keepdims=True)
        share = _row_size(near.central - far.central) / 3 / _row_size(near.central)
        most = np.where(share > 0, (_SHOWS * noise / (share * np.abs(claim))) ** (1 / 3), np.inf)
        least = np.where(needed > 0, 2 ** np.ceil(np.log2(_SPARE * noise / needed)), 1.0)
        shorter = np.maximum(_WITHIN * np.maximum(most, _LEAST), np.minimum(least, 1.0))
        factor = np.where(most < 1, shorter, np.clip(least, 1.0, _MOST))
        factor = power_of_two(np.where(np.isfinite(factor), factor, 1.0))
        if bool(np.all(survey.x >= 0) or np.all(survey.x <= 0)):  # as the length scales: no step crosses zero
            size = np.abs(survey.layout.gather_inputs(survey.x))
            factor = np.minimum(factor, np.maximum(power_of_two(_SIGNED * size / survey.steps), 1.0))
    return replace(survey, steps=np.maximum(survey.steps * factor, 2 * survey.shortest))


def _row_size(values: Array) -> Array:
    """(S, 1) root mean square of every row."""
    size: Array = root_sum_squares(values)[:, None] / np.sqrt(max(values.shape[1], 1))
    return size


def _parts(near: Slopes, survey: Survey) -> float:
    if near.outputs is None:
        return root_mean_square(near.central)
    # one column at a time: what is needed of all of them at once would not fit into a cache
    shares = (np.where(survey.weights == 0, 0.0, column * survey.weights) for column in near.outputs)
    return root_mean_square(np.array([root_sum_squares(share) for share in shares]))


def _value(near: Slopes, far: Slopes) -> Array:
    """(C, S, m) derivatives per output from four evaluations."""
    assert near.outputs is not None and far.outputs is not None  # noqa: PT018
    with np.errstate(invalid="ignore", over="ignore"):
        value = 4 * near.outputs
        value -= far.outputs
        value /= 3
    return value


def output_derivatives(survey: Survey, near: Slopes, far: Slopes, inflation: float) -> tuple[Array, Array, float]:
    """(C, S, m) derivatives per output with bounds, and the largest truncation of a column's D1 beside its size."""
    assert near.outputs is not None and near.bends is not None  # noqa: PT018
    assert far.outputs is not None and far.bends is not None  # noqa: PT018
    value, half = _value(near, far), near.half.T[:, :, None]
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        apart = np.abs(near.outputs - far.outputs)
        fourth = np.abs(far.bends - 4 * near.bends)
        # a bend within the noise says nothing; the table's noise is the same for all columns
        of_input = survey.condition * np.abs(survey.layout.gather_inputs(survey.x)).max(initial=0.0)
        size = (root_sum_squares(near.outputs) / np.sqrt(max(near.outputs.shape[2], 1)))[:, :, None]
        noise = 2.85 * np.maximum(inflation * survey.sigma, of_input * size) / half
        bound = noise + (2 / 3) * apart + fourth / (3 * half)
        share = np.max(apart, axis=2, keepdims=True, initial=0.0) / size
    usable = share[np.isfinite(share)]
    bound = np.where(np.isfinite(value) & np.isfinite(bound), bound, np.inf)
    return value, bound, float(usable.max()) if usable.size else 0.0
