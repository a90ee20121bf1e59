"""Products of two operands: a dot for an outer product, operations undone in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.view import View


@rule("outer-product-became-dot", "jacobian", 14)
def outer_became_dot(view: View) -> Iterator[Prediction]:
    """An outer product of two vectors collapsed into their dot product.

    How it comes about: ``.T`` does nothing to a vector, so that ``g @ x.T`` is a number, which is then broadcast.

    Formula: a_ij = g . x for all i, j, where the truth is g_i x_j.

    Hidden when: the operands are matrices; vectors of different lengths raise.

    Mended: ``np.outer(g, x)``, or ``g[:, None] * x``.

    Wrong::

        dW = g @ x.T

    Right::

        dW = np.outer(g, x)
    """
    if view.x.ndim < 2 or view.M < 2:
        return
    message = "all entries of the gradient are equal: an outer product became a dot product"
    remedy = "use np.outer: .T does nothing to a vector"
    for axis in range(2):
        if view.x.shape[axis] != view.M:
            continue
        # truth: row m has the vector in its slice m along one axis; the dot product puts its m-th entry everywhere
        slices = np.stack([np.take(view.J[m].reshape(view.x.shape), m, axis).ravel() for m in range(view.M)])
        if slices.shape[1] == view.M:
            entries = np.diag(slices)
            matrix = np.outer(entries, np.ones(view.N))
            yield Prediction(message, remedy, jacobian=matrix, usual=True)
    if view.A is not None and not view.offset.any() and view.N > 2:
        middle = view.A.mean(axis=1)
        flat = np.outer(middle, np.ones(view.N))
        if view.A.any() and np.ptp(view.J, axis=1).max() > view.zero:
            yield Prediction(message, remedy, jacobian=flat, rank=8, free=view.M)


@rule("linear-ops-do-not-commute", "jacobian", 16)
def do_not_commute(view: View) -> Iterator[Prediction]:
    """The adjoints of two linear operations are taken in the wrong order.

    How it comes about: the forward rotates and multiplies with a table; the backward rotates back first and then
    multiplies, with entries of the table that belong elsewhere.

    Formula: a = B^T A^T g where the truth is A^T B^T g.

    Hidden when: the two operations commute: tables whose halves repeat, as those of rotary embeddings do.

    Mended: undo the last operation first: (A B)^T = B^T A^T.

    Wrong::

        dx = g * cos + unrotate(g) * sin

    Right::

        dx = g * cos + unrotate(g * sin)
    """
    if view.M != view.N or len(view.shapes) != 1:
        return
    message = "the table {} was multiplied in on the wrong side of another operation"
    remedy = "undo the operations in reverse order: multiply with the table before undoing what came before it"
    for name, value in view.truth.inputs.items():
        table = np.asarray(value)
        if name == view.name or table.dtype.kind != "f":
            continue
        try:
            spread = np.broadcast_to(table, view.x.shape).ravel()
        except ValueError:
            continue
        without = view.measure({name: np.zeros_like(table)})
        ones = view.measure({name: np.ones_like(table)})
        if without is None or ones is None or without.shape != view.J.shape or ones.shape != view.J.shape:
            continue
        part = ones - without
        slack = view.slack * np.abs(view.J).max(initial=1e-300)
        if np.abs(without + spread[:, None] * part - view.J).max() < slack:
            yield Prediction(message.format(name), remedy, jacobian=without + part * spread[None, :], usual=True)
        if np.abs(without + spread[None, :] * part - view.J).max() < slack:
            yield Prediction(message.format(name), remedy, jacobian=without + part * spread[:, None], usual=True)
