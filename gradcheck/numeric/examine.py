"""The examination of a claimed gradient: two evaluations a column first, more where something is in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.numeric.doubt import complete
from gradcheck.numeric.evaluate import Array, Evaluator, Function, Indices, Mask, as_evaluator, pick
from gradcheck.numeric.examination import Examination
from gradcheck.numeric.judge import (
    FAIL,
    FLOOR,
    KINK,
    NONFINITE,
    PASS,
    UNDECIDED,
    Codes,
    Criteria,
    make_criteria,
)
from gradcheck.numeric.ladder import LONGEST, cross_examine
from gradcheck.numeric.look import Look, look
from gradcheck.numeric.specks import Unsure, find_specks, settle_specks
from gradcheck.numeric.survey import Survey

_HINT = 0.05  # one-sided slopes that differ by this share of themselves hint at a kink
_KINK = 0.5  # or at one that is worth its name, where the claim agrees with the mean of both
_SAME_BUG = 0.95  # share of the examined suspects that must be confirmed before others like them are believed
_CLEARLY = 3.0
_TRIED = 8  # columns in which it is tried whether other steps resolve anything
_WORTHWHILE = 0.5
_PATIENCE = 16  # times the columns that may be examined, more are while none of them was confirmed to be wrong


@dataclass(eq=False, slots=True)
class _State:
    """(S, C) arrays that grow more certain, in the order of the look's columns."""

    claim: Array
    wanted: Mask
    status: Codes
    value: Array
    bound: Array
    lower: Array
    upper: Array
    suspected: Mask
    unsure: Unsure


def examine(
    function: Function | Evaluator,
    survey: Survey,
    claim: Array | None,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    entries: Indices | None = None,
    keep_jacobian: bool = False,
    max_columns: int = 64,
    asked: bool = False,
) -> Examination:
    """Compare a claimed gradient, entry by entry, with central differences whose error is known.

    Parameters
    ----------
    function
        As surveyed.
    survey
        Point, upstream, noise and steps.
    claim
        Analytic gradient in the shape of x; None: measure only, with four evaluations a column.
    rtol, atol
        Differences that nobody cares about; by default 1e-7 relative (32 round-offs below float64), and a
        billionth of the gradient's scale.
    entries
        Flat indices of the entries to be examined; by default all.
    keep_jacobian
        Also keep the derivatives of every output: M x n numbers.
    max_columns
        Columns in doubt that are cross-examined once one is confirmed to be wrong. Suspects beyond them stay undecided,
        unless nearly all that were examined were confirmed and they disagree clearly.
    asked
        Whether a person asked for these tolerances: then what is beyond them is wrong, by however little.
    """
    evaluate = as_evaluator(function)
    before = evaluate.count
    layout = survey.layout
    wanted = np.ones(layout.inputs.shape, dtype=bool)
    if entries is not None:
        flat = np.zeros(survey.x.size, dtype=bool)
        flat[np.asarray(entries, dtype=np.intp)] = True
        wanted = flat[layout.inputs]
    columns = np.flatnonzero(wanted.any(axis=0))
    judged = claim is not None
    given = np.zeros(survey.x.shape) if claim is None else np.asarray(claim, dtype=np.float64).reshape(survey.x.shape)
    gathered = layout.gather_inputs(given)
    needed = make_criteria(gathered, gathered, survey.precision, rtol, atol).needed(gathered) if judged else None
    found = look(evaluate, survey, columns, all_four=claim is None, keep=keep_jacobian, claim=gathered, needed=needed)
    survey, estimate, gathered = found.survey, found.estimate, gathered[:, found.columns]
    specks = (find_specks(survey) & wanted)[:, found.columns]
    first = make_criteria(gathered, estimate.value, survey.precision, rtol, atol) if judged and specks.any() else None
    unsure = settle_specks(evaluate, found, specks, gathered, first, max_columns)
    nothing = np.full(gathered.shape, np.nan)
    state = _State(
        claim=gathered,
        wanted=wanted[:, found.columns],
        status=np.full(gathered.shape, UNDECIDED, dtype=np.uint8),
        value=estimate.value.copy(),
        bound=estimate.bound,
        lower=nothing,
        upper=nothing.copy(),
        suspected=np.zeros(gathered.shape, dtype=bool),
        unsure=unsure,
    )
    criteria = make_criteria(gathered if judged else estimate.value, estimate.value, survey.precision, rtol, atol)
    criteria.asked = asked
    escalated, vacuous = 0, False
    if judged:
        state.status = criteria.classify(gathered, estimate.value, estimate.bound, estimate.still)
        vacuous = _is_zero(state, criteria, found.parts)
        if vacuous:
            # no gradient to be small against: the size of the parts that cancelled in it
            criteria = replace(criteria, negligible=criteria.negligible + _share(criteria) * found.parts)
            state.status = criteria.classify(gathered, estimate.value, estimate.bound, estimate.still)
        escalated = _escalate(evaluate, survey, found, state, criteria, max_columns)
    return _report(survey, found, state, criteria, judged, vacuous, escalated, evaluate.count - before)


def _share(criteria: Criteria) -> float:
    """What is negligible, as a share of the gradient's scale."""
    return 5e-6 if criteria.resolved <= 5e-3 else 1e-3


def _is_zero(state: _State, criteria: Criteria, parts: float) -> bool:
    """Whether claim and measurement are zero within a bound that is small beside the parts that cancel in them."""
    allowed = criteria.allowance(state.claim, state.value, state.bound)
    with np.errstate(invalid="ignore"):
        zero = (np.abs(state.claim) <= allowed) & (np.abs(state.value) <= allowed) & (allowed <= 1e-2 * parts)
        zero |= (state.claim == 0) & (state.value == 0)
    return bool(zero[state.wanted].all())


def _escalate(
    evaluate: Evaluator, survey: Survey, found: Look, state: _State, criteria: Criteria, max_columns: int
) -> int:
    """Examine what is in doubt; return the number of columns that were."""
    doubtful = _doubtful(found, state, criteria)
    if not doubtful.any():
        return 0
    hinted = _hinted(found)
    surplus = criteria.surplus(state.claim, state.value, state.bound)
    # what shows only because the step was lengthened may be its truncation: it is no more than was open before
    suspect = doubtful & (((state.status == FAIL) & (surplus > found.stretch)) | (state.status == NONFINITE))
    estimate = found.estimate
    blunt = doubtful & ~suspect & ~hinted & ~(estimate.truncation > 0.5 * estimate.roundoff)
    hopeless = blunt & (state.bound > LONGEST * criteria.needed(state.claim))
    state.status[doubtful] = UNDECIDED
    examined = np.zeros(doubtful.shape, dtype=bool)

    given_up = np.zeros((len(doubtful), 1), dtype=bool)

    def examine_columns(places: Indices) -> None:
        if places.size:
            asked = doubtful & ~given_up
            _examine_columns(evaluate, survey, found, state, criteria, places, asked)
            examined[:, places] = asked[:, places]

    badness = np.where(suspect, np.minimum(surplus, 1e300), 0.0)
    coarse, left = survey.precision.name != "float64", _PATIENCE * max_columns
    while left > 0:
        urgent = np.flatnonzero((suspect & ~examined & ~given_up).any(axis=0))
        worst = np.argsort(-np.where(given_up, 0.0, badness).max(axis=0)[urgent], kind="stable")
        urgent = urgent[worst][: min(_TRIED if coarse and not examined.any() else max_columns, left)]
        if not urgent.size:
            break
        examine_columns(np.sort(urgent))
        left -= urgent.size
        # one that is confirmed speaks for the rest; where all are cleared, as at ties, they are asked as well
        if np.any(state.status[suspect & examined] == FAIL):
            break
        if coarse:  # a slice of which nothing can be settled would spend the calls of all the others
            tried = suspect & examined
            nothing = tried.sum(axis=1) >= _TRIED // 2
            given_up |= (nothing & ~(tried & (state.status != UNDECIDED)).any(axis=1))[:, None]
    # what is not smooth, and what is merely too noisy, is tried in a few columns first: other steps help all, or none
    for group in (doubtful & ~suspect & ~blunt, blunt & ~hopeless):
        done = examined.any(axis=0)
        rest = np.flatnonzero((group & ~given_up).any(axis=0) & ~done)[:max_columns]
        sample = rest[:: max(1, rest.size // _TRIED)][:_TRIED]
        examine_columns(sample)
        if coarse and rest.size == max_columns:
            continue  # there are more than can be examined: some stay open in any case
        tried = state.status[:, sample][group[:, sample]]
        if tried.size and float(np.mean(tried != UNDECIDED)) >= _WORTHWHILE:
            examine_columns(np.setdiff1d(rest, sample))
    state.suspected |= suspect & ~examined
    _extend(state, suspect & ~state.unsure.mask, examined, surplus, hinted)
    unsure = state.unsure.mask & (state.status == FAIL)
    state.status[unsure] = UNDECIDED
    state.value[unsure], state.bound[unsure] = state.unsure.value[unsure], state.unsure.bound[unsure]
    return int(examined.any(axis=0).sum())


def _examine_columns(
    evaluate: Evaluator, survey: Survey, found: Look, state: _State, criteria: Criteria, places: Indices, doubtful: Mask
) -> None:
    """Cross-examine the doubtful entries of some columns; those of different slices share evaluations."""
    estimate, places, asked = complete(evaluate, survey, found, places, doubtful)
    claim = pick(state.claim, places)
    columns, context = found.columns[places], found.context
    outcome = cross_examine(evaluate, survey, columns, estimate, claim, asked, criteria, context)
    rows, where = np.nonzero(asked)
    there = (rows, places[rows, where])
    state.status[there], state.value[there], state.bound[there] = outcome.status, outcome.value, outcome.bound
    state.lower[there], state.upper[there] = outcome.lower, outcome.upper
    state.suspected[there] = outcome.suspected


def _doubtful(found: Look, state: _State, criteria: Criteria) -> Mask:
    settled = np.isin(state.status, (PASS, FLOOR))
    if found.survey.precision.name == "float64":
        # a claim that agrees with the mean of two different slopes is right, but is to be called a kink; with the long
        # steps of a coarser precision every curve looks like one
        size = np.maximum(np.abs(state.claim), np.abs(state.value))
        with np.errstate(invalid="ignore"):
            settled &= ~(_hinted(found, _KINK) & (size > 1e-6 * criteria.scale))
    doubtful: Mask = ~settled & state.wanted
    return doubtful


def _hinted(found: Look, share: float = _HINT) -> Mask:
    """Where the one-sided slopes hint at a kink; a free by-product of the value at x."""
    near, estimate = found.near, found.estimate
    with np.errstate(invalid="ignore"):
        gap = np.abs(near.forward - near.backward)
        larger = np.maximum(np.abs(near.forward), np.abs(near.backward))
        hint: Mask = gap > share * larger + 4 * estimate.roundoff
    return hint


def _extend(state: _State, suspect: Mask, examined: Mask, surplus: Array, hinted: Mask) -> None:
    """Believe suspects that could not be examined if nearly all that could be were confirmed, and none was cleared."""
    left = suspect & ~examined
    tried = suspect & examined
    if not left.any() or not tried.any():
        return
    codes = state.status[tried]
    if float(np.mean(codes == FAIL)) < _SAME_BUG or bool(np.isin(codes, (PASS, KINK)).any()):
        return
    state.status[left & (surplus > _CLEARLY) & ~hinted & np.isfinite(state.value)] = FAIL


def _report(
    survey: Survey,
    found: Look,
    state: _State,
    criteria: Criteria,
    judged: bool,
    vacuous: bool,
    escalated: int,
    evaluations: int,
) -> Examination:
    layout, shape = survey.layout, survey.x.shape
    lost = ~np.isfinite(state.value) | ~np.isfinite(state.claim)
    state.status[lost & (state.status != FAIL)] = NONFINITE
    decided = np.isin(state.status, (KINK, FAIL)) & np.isfinite(state.lower)
    state.lower[~decided] = np.nan
    state.upper[~decided] = np.nan

    def spread(values: Array, missing: float) -> Array:
        full = np.full(layout.inputs.shape, missing, dtype=values.dtype)
        full[:, found.columns] = np.where(state.wanted, values, np.asarray(missing, dtype=values.dtype))
        return layout.scatter_inputs(full, shape)

    left = state.suspected & np.isin(state.status, (UNDECIDED, NONFINITE))
    allowance = criteria.allowance(state.claim, state.value, state.bound)
    return Examination(
        value=spread(state.value, np.nan),
        bound=spread(state.bound, np.inf),
        status=spread(state.status, UNDECIDED) if judged else None,  # type: ignore[arg-type]
        allowance=spread(allowance, np.inf),
        scale=criteria.scale,
        tau=criteria.tau,
        lower=spread(state.lower, np.nan),
        upper=spread(state.upper, np.nan),
        examined=spread(state.wanted, False).astype(bool),  # type: ignore[arg-type]
        suspected=spread(left, False).astype(bool),  # type: ignore[arg-type]
        vacuous=vacuous,
        kept=found.blocks,
        escalated=escalated,
        evaluations=evaluations,
        survey=survey,
    )
