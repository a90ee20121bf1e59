"""A claim tested along a few random directions, and the wrong entries found where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.numeric.bisection import Location, locate
from gradcheck.numeric.evaluate import Array, Evaluator, Function, Indices, as_evaluator, median, root_mean_square
from gradcheck.numeric.examination import Examination
from gradcheck.numeric.examine import examine
from gradcheck.numeric.judge import FLOOR, KINK, PASS
from gradcheck.numeric.projection import Projector, Residual
from gradcheck.numeric.specks import find_specks
from gradcheck.numeric.survey import Survey

_SAMPLED = 32
_MISS = 0.01
_MINUTE = 1024.0  # times its size by which an entry's step is longer where it is examined by itself
_TRIED = 8  # such entries that are


@dataclass(slots=True)
class Directions:
    """What a few directions say of a gradient.

    Attributes
    ----------
    agrees
        Whether the claim agrees along all of them. True is a pass at the resolutions below.
    disagree
        Whether the claim fails along one of them, or is no number somewhere. If not, and it does not agree either,
        entries too small to be seen along them are in doubt.
    measured
        Whether the function could be measured at all along one of them.
    residuals, bounds
        (P,) measured minus claimed rise along each, and how far that may be off.
    scale
        Root mean square of the gradient: of the claim where it agrees, as the directions saw it otherwise.
    one
        Smallest error in one typical entry that would have been noticed with 99 % probability, in units of the
        gradient; divide by `scale`.
    all
        The same for errors in all entries at once, relative to the norm of the gradient.
    location
        Where the claim fails; None where it agrees.
    examination
        Of the entries found: theirs are the statuses that count; None where the claim agrees.
    evaluations
        Forward calls spent, without those of the survey.
    """

    agrees: bool
    disagree: bool
    measured: bool
    residuals: Array
    bounds: Array
    scale: float
    one: float
    all: float
    location: Location | None
    examination: Examination | None
    evaluations: int


def try_directions(
    function: Function | Evaluator,
    survey: Survey,
    claim: Array,
    rng: np.random.Generator,
    *,
    count: int = 8,
    budget: int = 500,
    rtol: float | None = None,
    atol: float | None = None,
) -> Directions:
    """Test a claimed gradient along `count` signed random directions with four evaluations each.

    Every entry takes part in each of them with its own sign and size, so that errors do not cancel in all: with P
    directions, errors that spread over many entries with a norm of z resolutions are missed with probability
    (0.8 / z)^P; one wrong entry of two resolutions is never missed.

    Parameters
    ----------
    function
        As surveyed.
    survey
        Of a whole layout.
    claim
        Analytic gradient in the shape of x.
    rng
        Generator of the directions.
    count
        P.
    budget
        Evaluations that may be spent on finding the wrong entries.
    rtol, atol
        As for :func:`gradcheck.numeric.examine.examine`, which has the last word on the entries found.
    """
    evaluate = as_evaluator(function)
    before = evaluate.count
    claim = np.asarray(claim, dtype=np.float64).reshape(survey.x.shape)
    # entries that are no number are suspects already, and would hide all others
    broken = np.flatnonzero(~np.isfinite(claim))
    projector = Projector(evaluate, survey, np.where(np.isfinite(claim), claim, 0.0))
    residuals: list[Residual] = []
    worst: tuple[Residual, Array] | None = None
    if survey.x.size:
        projector.calibrate(rng)
    for residual, move in projector.test_each(_draw(projector, rng, broken, count if survey.x.size else 0)):
        residuals.append(residual)
        if residual.refutes and (worst is None or abs(residual.value) > abs(worst[0].value)):
            worst = residual, move
    location, examination = None, None
    # the moves take specks along within their own size, where what they do is too little to be seen
    tiny = _open_specks(evaluate, survey, claim, rng, rtol, atol)
    if worst is not None or broken.size or tiny.size:
        location = Location() if worst is None else locate(projector, worst[1], worst[0], budget=budget)
        location.entries = sorted({*location.entries, *broken[:_SAMPLED].tolist(), *tiny.tolist()})
        suspects = _suspects(location, survey.x.size, rng)
        examination = examine(
            evaluate, survey, claim, entries=suspects, rtol=rtol, atol=atol, max_columns=len(suspects)
        )
    finite = [residual for residual in residuals if np.isfinite(residual.bound)]
    bound = median([residual.bound for residual in finite]) if finite else np.inf
    size = median([residual.size for residual in finite]) if finite else 0.0
    step = projector.multiplier * median(projector.steps) if survey.x.size else 1.0
    spread = 1.6 * bound * _MISS ** (-1 / max(count, 1))
    return Directions(
        agrees=location is None,
        disagree=worst is not None or bool(broken.size),
        measured=bool(finite) or not survey.x.size,
        residuals=np.array([residual.value for residual in residuals]),
        bounds=np.array([residual.bound for residual in residuals]),
        scale=_scale(residuals, projector)
        if worst is not None
        else root_mean_square(np.asarray(claim, dtype=np.float64)),
        one=2 * bound / step,
        all=spread / size if size > 0 else np.inf,
        location=location,
        examination=examination,
        evaluations=evaluate.count - before,
    )


def _draw(projector: Projector, rng: np.random.Generator, broken: Indices, count: int) -> Iterator[Array]:
    for _ in range(count):
        move = projector.draw(rng)
        move.reshape(-1)[broken] = 0.0
        yield move


def _open_specks(
    evaluate: Evaluator, survey: Survey, claim: Array, rng: np.random.Generator, rtol: float | None, atol: float | None
) -> Indices:
    """Entries that are wrong, or cannot be decided, among those far smaller than their step (or a sample of these)."""
    places = survey.layout.inputs[find_specks(survey, _MINUTE)]
    if not places.size:
        return places
    sample = np.sort(rng.choice(places, min(_TRIED, places.size), replace=False))
    seen = examine(evaluate, survey, claim, entries=sample, rtol=rtol, atol=atol, max_columns=len(sample))
    assert seen.status is not None
    left: Indices = sample[~np.isin(seen.status.reshape(-1)[sample], (PASS, FLOOR, KINK))]
    return left


def _suspects(location: Location, size: int, rng: np.random.Generator) -> Indices:
    """Entries found, and a sample of the blocks (of everything, where nothing was found)."""
    blocks = location.blocks or ([] if location.entries else location.lost or [(0, size)])
    sample = [
        start + rng.choice(stop - start, min(stop - start, max(4, _SAMPLED // len(blocks))), replace=False)
        for start, stop in blocks[:_SAMPLED]
    ]
    return np.unique(np.concatenate([np.asarray(location.entries, dtype=np.intp), *sample])).astype(np.intp)


def _scale(residuals: list[Residual], projector: Projector) -> float:
    """Root mean square of the true gradient: a random direction has a rise of its norm, on average."""
    rises = np.array([residual.value + residual.claimed for residual in residuals if np.isfinite(residual.bound)])
    if not rises.size:
        return 0.0
    # a move between one and two steps has a mean square of 7/3 steps squared
    length = projector.multiplier * float(np.sqrt(7 / 3 * np.sum(np.square(projector.steps))))
    return root_mean_square(rises) / length
