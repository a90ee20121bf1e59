"""Ties: which of several entries was selected."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.view import View


@rule("tie-double-count", "masks", 5)
def tie_double_count(view: View) -> Iterator[Prediction]:
    """Every entry that ties for the maximum receives the whole upstream.

    How it comes about: ``x == x.max()`` is used as a mask, without dividing by the number of ties.

    Formula: the sum of a over the slice is the number of ties times g.

    Hidden when: there are no exact ties.

    Mended: give it to one of them (argmax), or divide by the number of ties; both are subgradients.

    Wrong::

        return g[:, None] * (x == x.max(1, keepdims=True))

    Right::

        mask = x == x.max(1, keepdims=True); return g[:, None] * mask / mask.sum(1, keepdims=True)
    """
    x = view.x.ravel()
    linked = np.abs(view.J) > view.zero
    matrix = view.J.copy()
    tied = False
    for row in range(view.M):
        places = np.flatnonzero(linked[row])
        if len(places) > 1 and np.ptp(x[places]) == 0.0:
            tied = True
            # central differences give every one of them half of what the largest alone would have
            matrix[row, places] = 2.0 * view.J[row, places]
    if tied:
        yield Prediction(
            "entries that tie received the whole upstream each",
            "divide by the number of ties, or pick one of them",
            jacobian=matrix,
            usual=True,
        )


@rule("loose-equality-mask", "masks", 14)
def loose_equality(view: View) -> Iterator[Prediction]:
    """Entries that are only *near* the maximum count as the maximum.

    How it comes about: ``np.isclose`` or a tolerance is used to find where the maximum was.

    Formula: several entries of a slice receive the whole upstream.

    Hidden when: the gap between the largest entries exceeds the tolerance.

    Mended: use argmax.

    Wrong::

        mask = np.abs(x - x.max(1, keepdims=True)) < 1e-2

    Right::

        mask = np.arange(k) == x.argmax(1)[:, None]
    """
    message = "entries that are only near the selected one received the upstream too"
    remedy = "find the selected entry with argmax"
    linked = np.abs(view.J) > view.zero
    if view.N < 2 or np.any(linked.sum(axis=1) > 2) or np.any(linked.sum(axis=0) > 1) or not linked.any():
        return
    x = view.x.ravel()
    if view.account is None and np.all(linked.sum(axis=1) <= 1):
        yield from _tolerance(view, linked, message, remedy)
    if view.A is None or view.offset.any():
        return
    if view.elementwise:
        yield from _near_partner(view, message, remedy)
        return
    extra = (np.abs(view.A) > view.zero) & ~linked
    if not extra.any():
        return
    gap = 0.0
    for row, column in zip(*np.nonzero(extra), strict=True):
        chosen = np.flatnonzero(linked[row])
        same = np.abs(view.A[row, column] - view.J[row, chosen]) <= view.slack * np.abs(view.J[row, chosen])
        if not same.any():
            return
        gap = max(gap, float(np.abs(x[column] - x[chosen[same]]).min()))
    others = np.where(extra, 0.0, view.A)
    if gap <= 0.2 * np.ptp(x) and np.abs(others - view.J).max() <= 100 * view.zero:
        yield Prediction(
            message, remedy, explained=0.0, evidence={"largest gap": float(gap), "entries": int(extra.sum())}
        )


def _near_partner(view: View, message: str, remedy: str) -> Iterator[Prediction]:
    """Of two operands the larger (or smaller) is selected, and the other received the upstream too where it is near."""
    if view.A is None:
        return
    seen, x = np.diag(view.A), view.x.ravel()
    dead = np.abs(view.diagonal) <= view.zero
    extra = dead & (np.abs(seen) > 100 * view.zero)
    live = view.diagonal[~dead]
    if not extra.any() or np.array_equal(extra, dead) or np.ptp(live) > 10 * view.slack * np.abs(live).max():
        return
    fits = distance(view.A, np.diag(np.where(extra, live[0], view.diagonal)))
    for name, value in view.truth.inputs.items():
        other = np.asarray(value)
        if name == view.name or other.shape != view.x.shape or other.dtype.kind != "f":
            continue
        gaps = np.abs(x - other.ravel())
        # a tolerance divides those that were left alone from those that were not, and it is a small one
        if fits < view.tolerance and 3.0 * gaps[extra].max() < gaps[dead & ~extra].min():
            gap = float(gaps[extra].max())
            yield Prediction(
                message, remedy, explained=fits, evidence={"largest gap": gap, "entries": int(extra.sum())}
            )


def _tolerance(view: View, linked: np.ndarray, message: str, remedy: str) -> Iterator[Prediction]:
    """What a tolerance of 1e-2 would do to a maximum along one axis."""
    x = view.x
    for axis in range(x.ndim):
        if x.shape[:axis] + x.shape[axis + 1 :] != view.shapes[0]:
            continue
        top = x.max(axis=axis, keepdims=True)
        if not np.allclose(np.squeeze(top, axis).ravel(), view.y):
            continue
        near = np.abs(x - top) < 1e-2
        place = np.broadcast_to(np.expand_dims(np.arange(view.M).reshape(view.shapes[0]), axis), x.shape).ravel()
        matrix = np.zeros_like(view.J)
        matrix[place, np.arange(view.N)] = near.ravel()
        yield Prediction(message, remedy, jacobian=np.where(linked, view.J, matrix), usual=True)
