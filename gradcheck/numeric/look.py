"""The first look at an input: every column at h, a few audited ones at 2h as well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numeric.estimate import Context, Estimate, combine, from_two, local_inflation, typical_size
from gradcheck.numeric.evaluate import Array, Evaluator, Indices, Mask, root_mean_square, root_sum_squares
from gradcheck.numeric.slopes import Slopes, join_slopes, measure_slopes
from gradcheck.numeric.survey import Survey


@dataclass(slots=True)
class Blocks:
    """Derivatives of every output with respect to the inputs of its slice.

    Attributes
    ----------
    value
        (C, S, m), columns as they were asked for.
    noise, rest
        (C, S) the bound is `noise` times the output's sigma, plus `rest`.
    """

    value: Array
    noise: Array
    rest: Array

    def bound(self, sigma: Array) -> Array:
        """(C, S, m) bounds, given the (S, m) noise of the outputs."""
        bound = self.noise[:, :, None] * sigma + self.rest[:, :, None]
        return np.where(np.isfinite(self.value) & np.isfinite(bound), bound, np.inf)


@dataclass(slots=True)
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
    blocks
        Derivatives per output, where they were asked for.
    """

    columns: Indices
    four: int
    near: Slopes
    estimate: Estimate
    context: Context
    parts: float
    blocks: Blocks | None = None


def look(evaluate: Evaluator, survey: Survey, columns: Indices, *, all_four: bool, keep: bool) -> Look:
    """Measure the columns: four evaluations for the audited ones (or for all), two for the others."""
    audited = np.isin(columns, survey.audit)
    if all_four or audited.sum() == 0 or len(columns) <= len(survey.audit):
        audited[:] = True if all_four or len(columns) <= len(survey.audit) else np.arange(len(columns)) < 4
    four, two = columns[audited], columns[~audited]
    # per output only for the audited ones, unless all are to be kept: the others need no memory of their outputs
    detailed = keep or len(four) <= len(survey.audit)
    near = measure_slopes(evaluate, survey, four, survey.steps[:, four], detail=detailed)
    far = measure_slopes(evaluate, survey, four, 2 * survey.steps[:, four], detail=detailed)
    kept = np.empty((len(columns), *survey.y0.shape)) if keep else None
    # written where they belong: a copy in another order would double the largest array there is
    rest = measure_slopes(evaluate, survey, two, survey.steps[:, two], store=kept, rows=np.flatnonzero(~audited))
    together = join_slopes([near, rest])
    context = Context(typical_size(together.central, survey, survey.layout), local_inflation(near, far, survey))
    estimate = Estimate.joined([combine(near, far, survey, four, context), from_two(rest, survey, two, context)])
    found = Look(np.concatenate([four, two]), len(four), together, estimate, context, _parts(near, survey))
    if kept is not None:
        found.blocks = _blocks(survey, near, far, rest, kept, audited, context.inflation)
    return found


def _parts(near: Slopes, survey: Survey) -> float:
    if near.outputs is None:
        return root_mean_square(near.central)
    return root_mean_square(root_sum_squares(np.where(survey.weights == 0, 0.0, near.outputs * survey.weights)))


def _blocks(
    survey: Survey, near: Slopes, far: Slopes, rest: Slopes, kept: Array, audited: Mask, inflation: float
) -> Blocks:
    """Complete the kept derivatives; columns with two evaluations have at most the truncation of the audited ones."""
    value, bound, relative = output_derivatives(survey, near, far, inflation)
    kept[audited] = value
    noise, beyond = np.empty(kept.shape[:2]), np.empty(kept.shape[:2])
    noise[audited], noise[~audited] = 2.85 * inflation / near.half.T, 2.25 * inflation / rest.half.T
    excess = (bound - noise[audited][:, :, None] * survey.sigma).max(axis=2, initial=0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.sqrt(np.einsum("csm,csm->cs", kept, kept) / max(kept.shape[2], 1))
    beyond[audited], beyond[~audited] = np.maximum(excess, 0.0), relative * size[~audited]
    return Blocks(kept, noise, beyond)


def output_derivatives(survey: Survey, near: Slopes, far: Slopes, inflation: float) -> tuple[Array, Array, float]:
    """(C, S, m) derivatives per output with bounds, and the largest truncation of a column's D1 beside its size."""
    assert near.outputs is not None and near.bends is not None  # noqa: PT018
    assert far.outputs is not None and far.bends is not None  # noqa: PT018
    half = near.half.T[:, :, None]
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        value = (4 * near.outputs - far.outputs) / 3
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
