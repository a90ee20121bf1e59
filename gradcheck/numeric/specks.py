"""Specks: entries far smaller than the step made for the array around them, measured again below their own size.

Steps come from what most entries are like. A function that changes on the scale of the entry itself (a row of 1e-9 that
is normalised beside rows of 1) is flat beyond it on both sides: two steps agree there, on a slope that is not the one
at the point. Against a claim, only a step below the entry's own size counts; where it can be told apart from what the
long step saw, the long step was wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gradcheck.numeric.estimate import Estimate, combine
from gradcheck.numeric.evaluate import Array, Evaluator, Indices, Mask, power_of_two
from gradcheck.numeric.judge import FAIL, FLOOR, PASS, UNDECIDED, Criteria
from gradcheck.numeric.look import Blocks, Look, output_derivatives
from gradcheck.numeric.slopes import Slopes, measure_slopes
from gradcheck.numeric.steps import line_sizes, own_sizes
from gradcheck.numeric.survey import Survey

_FAR = 8.0  # a step of this many times an entry's own size reaches across whatever happens there
_DWARFED = 2.0**-10  # share of its length scale; below float64 steps are so long that many an entry is within them
_WITHIN = 1 / 8  # share of its own size that an entry is moved by


def find_specks(survey: Survey, far: float = _FAR) -> Mask:
    """(S, n) entries whose step is more than `far` times their own size, and which their length scale dwarfs."""
    return _dwarfed(survey, _own(survey), far)


def find_tiny_lines(survey: Survey) -> Mask:
    """(S, n) entries of a row, or a line along another axis, that would be specks all of them."""
    return _dwarfed(survey, survey.layout.gather_inputs(line_sizes(survey.x)), _FAR)


def _dwarfed(survey: Survey, sizes: Array, far: float) -> Mask:
    found: Mask = sizes < np.minimum(survey.steps / far, _DWARFED * survey.steps / survey.relative)
    return found


def short_steps(survey: Survey, specks: Mask) -> Array:
    """(S, n) steps of the survey, those of the specks within their own size."""
    return np.where(specks, np.maximum(power_of_two(_WITHIN * _own(survey)), survey.shortest), survey.steps)


def _own(survey: Survey) -> Array:
    return survey.layout.gather_inputs(own_sizes(survey.x))


@dataclass(eq=False, slots=True)
class Unsure:
    """Specks of which a long step says something that no step within their own size confirms; arrays are (S, C).

    Attributes
    ----------
    mask
        Which they are: nothing can be said against a claim there.
    value, bound
        What a short step says of them; nan and inf where none was tried.
    """

    mask: Mask
    value: Array
    bound: Array


def settle_specks(
    evaluate: Evaluator, found: Look, specks: Mask, claim: Array, criteria: Criteria | None, most: int
) -> Unsure:
    """Measure specks within their own size, and put what contradicts the long step into the look.

    Parameters
    ----------
    specks, claim
        (S, C) in the order of the look's columns.
    criteria
        When the claim agrees; None: there is no claim.
    most
        Columns that are measured again, with four evaluations each; what has most against it first.
    """
    if criteria is not None:
        value, bound = found.estimate.value, found.estimate.bound
        codes = criteria.classify(claim, value, bound, found.estimate.still)
        suspect = ~np.isin(codes, (PASS, FLOOR))
        if found.survey.precision.name == "float64":
            # one small entry among others changes over their scale; where a claim agrees, only tiny rows may hide more
            suspect |= find_tiny_lines(found.survey)[:, found.columns]
        # below, steps are so long that specks are common, and short ones see little: only for a claim that disagrees
        specks = specks & suspect
    unsure = Unsure(specks.copy(), np.full(specks.shape, np.nan), np.full(specks.shape, np.inf))
    if criteria is not None and found.survey.precision.name != "float64":
        # a short step resolves less than the long one: what is in doubt must be far above its noise
        steps = short_steps(found.survey, find_specks(found.survey))[:, found.columns]
        with np.errstate(invalid="ignore"):
            noise = found.estimate.roundoff * found.near.half / steps
            specks = specks & (codes != UNDECIDED) & ~(np.abs(claim - found.estimate.value) < noise)
    columns = np.flatnonzero(specks.any(axis=0))
    if not columns.size:
        return unsure
    survey, long = found.survey, found.estimate
    surplus = np.zeros(specks.shape) if criteria is None else criteria.surplus(claim, long.value, long.bound)
    places = columns[np.argsort(-np.where(specks, surplus, 0.0).max(axis=0)[columns], kind="stable")[:most]]
    columns, asked = found.columns[places], specks[:, places]
    steps = short_steps(survey, find_specks(survey))[:, columns]
    detail = found.blocks is not None
    near = measure_slopes(evaluate, survey, columns, steps, detail=detail)
    far = measure_slopes(evaluate, survey, columns, 2 * steps, detail=detail)
    short, long = combine(near, far, survey, columns, found.context), long.columns(places)
    better = asked & contradict(long.value, long.bound, short.value, short.bound)
    overwrite(found.estimate, better, short, places)
    overwrite(found.near, better, near, places)
    found.short[:, places] |= better
    if found.blocks is not None:
        rows = np.searchsorted(np.sort(found.columns), columns)
        _overwrite_blocks(survey, found.blocks, rows, asked, (near, far, found.context.inflation))
    if criteria is not None:
        refuted = criteria.classify(claim[:, places], short.value, short.bound, short.still) == FAIL
        unsure.mask[:, places] &= ~better & ~refuted
    unsure.value[:, places], unsure.bound[:, places] = short.value, short.bound
    return unsure


def overwrite(
    kept: Estimate | Slopes, chosen: Mask, other: Estimate | Slopes, places: Indices | slice = slice(None)
) -> None:
    """Put chosen entries of `other` into `kept`; `other` may have some of the columns alone, those at `places`."""
    for item in fields(kept):
        values, new = getattr(kept, item.name), getattr(other, item.name)
        if values is not None and values.ndim == 2:
            part = values[:, places]
            part[chosen] = new[chosen]
            values[:, places] = part


def contradict(long: Array, long_bound: Array, short: Array, short_bound: Array) -> Mask:
    """Where a short step says something else than a long one, beyond both bounds."""
    with np.errstate(invalid="ignore"):
        agree = np.abs(long - short) <= long_bound + short_bound
    apart: Mask = np.isfinite(short_bound) & ~agree
    return apart


def _overwrite_blocks(
    survey: Survey, blocks: Blocks, rows: Indices, asked: Mask, short: tuple[Slopes, Slopes, float]
) -> None:
    """The same per output: where one of them contradicts, all of that entry's are taken from the short step."""
    value, bound, _ = output_derivatives(survey, *short)
    chosen = asked.T & contradict(blocks.value[rows], blocks.bound(survey)[rows], value, bound).any(axis=2)
    half = short[0].half.T
    noise = (2.25 * short[2] / half)[:, :, None] * survey.sigma
    beyond = np.zeros(blocks.half.shape)
    beyond[rows] = np.where(chosen, np.maximum((bound - noise).max(axis=2, initial=0.0), 0.0), 0.0)
    blocks.beyond = beyond
    for values, new in ((blocks.value, value), (blocks.half, half)):
        part = values[rows]
        part[chosen] = new[chosen]
        values[rows] = part
