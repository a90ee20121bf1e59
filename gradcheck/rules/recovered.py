"""Branches and masks that the backward takes from the output instead of from the input."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.point import diagonal_seen
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View, distinct


@rule("branch-recovered-from-output", "point", 12)
def branch_from_output(view: View) -> Iterator[Prediction]:
    """A branch or a mask is inferred from the output, y > 0 or y / x, instead of from the input.

    How it comes about: the output is saved, the input is not, and for most inputs their signs agree.

    Formula: a uses 1[y > 0] or y / x instead of 1[x > 0] or the mask.

    Hidden when: the slope is positive, the input is positive, or nothing is exactly zero.

    Mended: save the mask, or the input.

    Wrong::

        return g * np.where(y > 0, 1, slope)          # slope < 0

    Right::

        return g * np.where(x > 0, 1, slope)
    """
    if not view.alike:
        yield from _of_partner(view)
        return
    x, y = view.x.ravel(), view.y
    remedy = "take the branch from the input, or save the mask in the forward"
    seen = diagonal_seen(view)
    flipped = np.sign(y) != np.sign(x)
    if view.elementwise and flipped.any() and not flipped.all():
        slopes = distinct(view.diagonal, view.slack)
        if len(slopes) == 2:
            swap = np.where(
                np.isclose(view.diagonal, slopes[0], rtol=0, atol=2 * view.slack * np.abs(slopes).max()),
                slopes[1],
                slopes[0],
            )
            yield Prediction(
                "the branch was taken from the sign of the output, which is not that of the input",
                remedy,
                jacobian=np.diag(np.where(flipped, swap, view.diagonal)),
                usual=True,
            )
        elif (other := _on_other_side(view)) is not None:
            text = "the branch was taken from the sign of the output, which is not that of the input"
            yield Prediction(text, remedy, jacobian=np.diag(np.where(flipped, other, view.diagonal)))
    if seen is not None:
        bad = np.abs(seen - view.diagonal) > view.slack * np.abs(view.diagonal).max(initial=0.0)
        if bad.any() and np.array_equal(bad, flipped & bad) and bad.sum() == flipped.sum() and not bad.all():
            yield Prediction(
                "all entries whose output has another sign than the input are wrong, and no others",
                remedy,
                explained=0.0,
                rank=5,
            )
        zero = x == 0
        with np.errstate(all="ignore"):
            guess = np.where(zero, 0.0, y / np.where(zero, 1.0, x))
        if zero.any() and distance(seen, guess) < view.tolerance and not np.all(zero):
            # zeros and one number: that is a mask, and no product of factors
            live = view.diagonal[np.abs(view.diagonal) > view.zero]
            mask = 0 < len(live) < view.N and np.ptp(live) <= 10 * view.slack * np.abs(live).max()
            text = "the mask was recovered as y / x, which fails where x is 0"
            yield Prediction(text, remedy, jacobian=np.diag(guess), rank=-4 if mask else 0)


def _on_other_side(view: View) -> Floats | None:
    """Return the slopes on the other side of 0, of a function that is a straight line on each, whatever its slopes."""
    half, turned = view.measure({view.name: 0.5 * view.x}), view.measure({view.name: -view.x})
    if view.account is None or half is None or turned is None or half.shape != view.J.shape:
        return None
    # beyond the reach of the smallest curvature: a smooth function has another slope at half the way
    if distance(half, view.J) > 10 * view.slack or turned.shape != view.J.shape:
        return None
    other = np.diag(turned).copy()
    return other if np.any(np.abs(other - view.diagonal) > 10 * view.slack * np.abs(other).max()) else None


def _of_partner(view: View) -> Iterator[Prediction]:
    """A parameter of a branch: it received nothing from the outputs whose sign is not that of the input they are of."""
    if view.account is None or len(view.shapes) != 1:
        return
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name == view.name or array.shape != view.shapes[0] or array.dtype.kind != "f":
            continue
        flipped = np.sign(view.y) != np.sign(array.ravel())
        rows = np.abs(view.J).max(axis=1, initial=0.0) > view.zero
        if np.any(flipped & rows) and np.any(view.y == array.ravel()):
            yield Prediction(
                "the branch was taken from the sign of the output, which is not that of the input",
                "take the branch from the input, or save the mask in the forward",
                jacobian=np.where(flipped[:, None], 0.0, view.J),
            )
