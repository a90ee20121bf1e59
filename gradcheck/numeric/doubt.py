"""Entries in doubt of columns that were measured at h alone, measured at 2h too."""

from __future__ import annotations

import numpy as np

from gradcheck.numeric.estimate import Estimate, combine
from gradcheck.numeric.evaluate import Evaluator, Indices, Mask, pick
from gradcheck.numeric.look import Look
from gradcheck.numeric.slopes import measure_slopes
from gradcheck.numeric.specks import overwrite
from gradcheck.numeric.survey import Survey


def complete(
    evaluate: Evaluator, survey: Survey, found: Look, places: Indices, doubtful: Mask
) -> tuple[Estimate, Indices, Mask]:
    """Estimates from four evaluations of the doubtful entries: what was measured at h alone is measured at 2h too.

    Returns also the (S, D) places of the entries, and which of them are doubtful: each slice lists its own.
    """
    kept, asked = _pack(places[places < found.four], doubtful)
    fresh, asked_fresh = _pack(places[places >= found.four], doubtful)
    columns = found.columns[fresh]
    far = measure_slopes(evaluate, survey, columns, 2 * pick(survey.steps, columns))
    new = combine(found.near.columns(fresh), far, survey, columns, found.context)
    overwrite(new, pick(found.short, fresh), found.estimate.columns(fresh))
    estimate = Estimate.joined([found.estimate.columns(kept), new])
    return estimate, np.concatenate([kept, fresh], axis=1), np.concatenate([asked, asked_fresh], axis=1)


def _pack(places: Indices, doubtful: Mask) -> tuple[Indices, Mask]:
    """Of every slice the places in doubt first, as many as the slice with the most has; and which are in doubt."""
    asked = doubtful[:, places]
    order = np.argsort(~asked, axis=1, kind="stable")[:, : int(asked.sum(axis=1).max(initial=0))]
    return places[order], np.take_along_axis(asked, order, axis=1)
