"""Scans: adjoints that run in the direction of the forward."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@rule("scan-direction-not-reversed", "axis", 11)
def scan_direction(view: View) -> Iterator[Prediction]:
    """The adjoint of a scan (cumsum, recurrence) runs forward instead of backward.

    How it comes about: the backward of cumsum is written as another cumsum.

    Formula: a = J g with J triangular: the first entry of a is g_0 alone, where the truth is the sum of all.

    Hidden when: the length is 1.

    Mended: scan the upstream from the end: ``np.flip(np.cumsum(np.flip(g)))``.

    Wrong::

        return np.cumsum(g, axis)

    Right::

        return np.flip(np.cumsum(np.flip(g, axis), axis), axis)
    """
    if not view.coupled:
        if view.alike and view.account is None and view.N and not np.any(view.J - np.eye(view.N)):
            yield Prediction("the scan runs in the wrong direction", "", jacobian=view.J.T.copy(), usual=True)
        return
    upper, lower = np.triu(view.J, 1), np.tril(view.J, -1)
    one_sided = not np.any(np.abs(upper) > view.zero) or not np.any(np.abs(lower) > view.zero)
    if one_sided:
        message = "the adjoint of the scan runs in the direction of the forward"
        remedy = "scan the upstream from the other end"
        # a triangle whose corners have every rank is a matrix, as that of causal attention
        scanned = view.account is None or _hands_on(view)
        yield Prediction(message, remedy, jacobian=view.J.T.copy(), rank=0 if scanned else 12, usual=True)
        other = _beyond(view, lower if np.any(np.abs(lower) > view.zero) else upper)
        if other is not None:
            yield Prediction(message, remedy, jacobian=other, rank=1)
        for axis in view.axes:
            order = np.flip(np.arange(view.N).reshape(view.x.shape), axis).ravel()
            yield Prediction(message, remedy, jacobian=view.J[:, order], rank=2)
            yield Prediction(message, remedy, jacobian=view.J[order], rank=2)


def _hands_on(view: View) -> bool:
    """Whether what reaches the later half of a slice from the earlier one goes through a state of fewer numbers."""
    for rows, columns in view.blocks:
        block = view.J[np.ix_(rows, columns)]
        half = len(rows) // 2
        below = bool(np.any(np.abs(np.tril(block, -1)) > view.zero))
        corner = block[half:, : half + 1] if below else block[: half + 1, half:]
        least = min(corner.shape)
        if least > 1 and np.linalg.matrix_rank(corner, tol=100 * view.zero) == least:
            return False
    return True


def _beyond(view: View, part: Floats) -> Floats | None:
    """Continue ``J[i, j] = u[i] v[j]`` from one side of the diagonal to the other, and leave the first out."""
    matrix = np.diag(view.diagonal)
    for rows, columns in view.blocks:
        if not np.array_equal(rows, columns) or len(rows) < 3:
            return None
        block = view.J[np.ix_(rows, rows)]
        lower = bool(np.any(np.tril(part[np.ix_(rows, rows)], -1)))
        own = block if lower else block.T
        size = len(rows)
        # u[i] v[j] over the corner that every row and column shares: the first column and the last row
        with np.errstate(all="ignore"):
            guess = np.outer(own[:, 0], own[-1, :]) / own[-1, 0]
        if not np.all(np.isfinite(guess)):
            return None
        known = np.tril(np.ones((size, size), dtype=bool))
        if np.abs((guess - own)[known]).max() > view.slack * np.abs(own).max():
            return None
        turned = np.where(known.T, guess, 0.0)
        matrix[np.ix_(rows, rows)] = turned if lower else turned.T
    return matrix
