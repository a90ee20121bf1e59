"""Jacobian structure: a matrix that is cut down, mixed up, or turned round."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.rules.anatomy import Term
from gradcheck.rules.modes import error_at
from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Array
from gradcheck.rules.view import View, components


@rule("diagonal-only-jacobian", "jacobian", 10)
def diagonal_only(view: View) -> Iterator[Prediction]:
    """An elementwise rule is used for a layer that couples its elements.

    How it comes about: the derivative of one output with respect to its own input, s (1 - s), is taken for the whole
    derivative. That the other entries of the slice move as well is forgotten.

    Formula: a = diag(J) * g, where the truth is J^T g.

    Hidden when: the layer is elementwise (there it is right), or saturated, so that the entries off the diagonal
    vanish.

    Mended: multiply the upstream with the whole Jacobian, or with its closed form.

    Wrong::

        return g * s * (1 - s)

    Right::

        return s * (g - (g * s).sum(axis, keepdims=True))
    """
    if view.coupled or (view.alike and view.account is None):
        yield Prediction(
            "only the diagonal of the Jacobian was used: every entry depends on its own upstream alone",
            "add the entries off the diagonal: multiply the upstream with the whole Jacobian of the slice",
            jacobian=np.diag(view.diagonal),
            usual=True,
        )


@rule("wrong-outer-product", "jacobian", 30)
def wrong_outer_product(view: View) -> Iterator[Prediction]:
    """The outer product in the Jacobian is built from the wrong vectors.

    How it comes about: a tiled matrix is multiplied with itself instead of with its transpose, so that row i holds
    s_i^2 instead of s_i s_j; or the two vectors of the product are mixed up.

    Formula: for J = diag(d) + p q^T, a = d g + (p q) sum(g), or another product of the same vectors.

    Hidden when: all entries of the vectors are equal (equal logits), or the upstream sums to zero.

    Mended: multiply with the transpose (``S * S.T``), or use ``np.outer``.

    Wrong::

        big = np.tile(s.reshape(-1, 1), len(s)); J = np.diag(s) - big * big

    Right::

        big = np.tile(s.reshape(-1, 1), len(s)); J = np.diag(s) - big * big.T
    """
    shape = view.anatomy
    if shape is None or len(shape.terms) != 1:
        return
    (term,) = shape.terms
    one = np.ones(view.N)
    both = term.inside * term.outside
    vectors = {"p": term.inside, "q": term.outside}
    pairs = [("p q", "1", both, one), ("1", "p q", one, both), ("p q", "p q", both, both)]
    pairs += [(a, b, vectors[a] * np.sign(both).max(), vectors[b]) for a, b in (("p", "p"), ("q", "q"), ("q", "p"))]
    pairs += [(a, "1", vectors[a], one) for a in vectors] + [("1", a, one, vectors[a]) for a in vectors]
    for left, right, inside, outside in pairs:
        yield Prediction(
            f"the diagonal of the Jacobian is right, its outer product is not: ({left}) ({right})^T instead of p q^T",
            "build the outer product from the two right vectors (multiply the tiled matrix with its transpose)",
            jacobian=shape.swap(Term(inside, outside, "")).compose(),
            usual=left == "p q" and right == "1",
        )


@rule("cross-sample-coupling", "jacobian", 20)
def cross_sample_coupling(view: View) -> Iterator[Prediction]:
    """The batch is flattened and treated as one vector, so that samples leak into each other.

    How it comes about: the Jacobian is built from the flattened output, ``diag(y) - outer(y, y)`` with all samples in
    one y; or the formula for one vector is given the whole array.

    Formula: the true Jacobian is block diagonal, the one that was used is dense.

    Hidden when: there is one sample only.

    Mended: build one Jacobian per sample, or use the closed form along the axis.

    Wrong::

        y = s.ravel(); return ((np.diag(y) - np.outer(y, y)) @ g.ravel()).reshape(s.shape)

    Right::

        return s * (g - (g * s).sum(-1, keepdims=True))
    """
    message, remedy = _LEAK
    if view.A is not None and _leaks(view):
        yield Prediction(message, remedy, explained=0.0, rank=70)
    if not view.alike or view.x.ndim == 0 or (view.x.shape[0] < 2 and view.account is not None):
        return
    shape = view.anatomy
    if shape is not None:
        usual = 0 not in view.axes
        yield Prediction(message, remedy, jacobian=shape.compose(same=np.ones_like(shape.same)), usual=usual)
    if view.axes and 0 not in view.axes:
        merged = view.measure({view.name: view.x.reshape(1, -1)})
        if merged is not None and merged.shape == view.J.shape:
            yield Prediction(message, remedy, jacobian=merged, usual=shape is None)
    if view.A is None or not view.axes or 0 in view.axes:
        return
    place = np.unravel_index(np.arange(view.N), view.x.shape)[0]
    other = place[:, None] != place[None, :]
    leak = np.where(other, view.A, 0.0)
    leaks = np.abs(leak) > view.slack * np.abs(view.J).max()
    # one stray entry is no coupling: a good part of the pairs of samples must be linked
    if leaks.sum() >= max(4.0, 0.25 * other.sum()):
        yield Prediction(message, remedy, jacobian=view.J + leak, free=0, rank=60)


_LEAK = (
    "entries of other slices leak in: the whole array was treated as one vector",
    "treat every slice on its own (one Jacobian per slice, or sums along the axis with keepdims)",
)


def _leaks(view: View) -> bool:
    """Whether every sample receives much of every other one, where the truth links every sample to itself alone."""
    if view.A is None or view.offset.any() or len(view.shapes) != 1 or not np.all(np.isfinite(view.A)):
        return False
    (shape,) = view.shapes
    if len(shape) < 2 or view.x.ndim < 2 or shape[0] != view.x.shape[0] or shape[0] < 2:
        return False
    samples = shape[0]
    true = np.abs(view.J).reshape(samples, -1, samples, view.N // samples)
    seen = np.abs(view.A).reshape(true.shape)
    apart = ~np.eye(samples, dtype=bool)
    inside = (true > view.zero).any(axis=(1, 3))
    if np.any(inside & apart) or not np.all(np.diag(inside)):
        return False
    leak = seen > view.slack * true.max()
    linked = leak.mean(axis=(1, 3))
    # one stray entry is no coupling: every pair of samples must be linked, by a good part of their entries
    if np.any(linked[apart] < 0.25) or min(true.shape[1], true.shape[3]) < 3:
        return False
    # and noise is none either: what leaks through sums over the whole array, or over one group of its channels, is an
    # outer product or two
    pairs = view.A.reshape(true.shape).swapaxes(1, 2)[apart]
    for rows, columns in components(leak.swapaxes(1, 2)[apart].any(axis=0)):
        if min(len(rows), len(columns)) < 3:
            return False
        sizes = np.linalg.svd(pairs[:, rows][:, :, columns], compute_uv=False)
        if np.any(sizes[:, 2] > 1e-5 * sizes[:, 0]):
            return False
    return True


@rule("batch-index-as-class-index", "jacobian", 20)
def batch_index_as_class_index(view: View) -> Iterator[Prediction]:
    """The number of the sample is used where the number of the class belongs.

    How it comes about: ``np.eye(batch)`` instead of one identity per sample, or ``delta(i, j)`` with i counting
    samples. It only runs on square batches.

    Formula: a[n, k] depends on whether n == k: for softmax s (eye(batch) - s) g.

    Hidden when: never equal to the truth, but arrays that are not square raise instead; a batch of one degenerates to
    the diagonal alone.

    Mended: the identity belongs to the classes of one sample: ``np.diag(s_n) - np.outer(s_n, s_n)`` for every n.

    Wrong::

        local = s * (np.eye(len(s)) - s); return g * local

    Right::

        return s * (g - (g * s).sum(1, keepdims=True))
    """
    message = "the row number of a sample was used as a class index (an identity of the size of the batch)"
    remedy = "build the identity per sample, over the classes; check with a batch that is not square"
    shape = view.anatomy
    if view.x.ndim >= 2 and shape is not None:
        for first, second in combinations(range(view.x.ndim), 2):
            if view.x.shape[first] != view.x.shape[second] or (first in view.axes) == (second in view.axes):
                continue
            place = np.unravel_index(np.arange(view.N), view.x.shape)
            same = place[first] == place[second]
            rank_one = sum((t.inside * t.outside for t in shape.terms), np.zeros(view.N))
            yield Prediction(
                message, remedy, jacobian=np.diag(np.where(same, shape.d, 0.0) + rank_one), usual=view.account is None
            )
    for name, value in view.truth.inputs.items():
        labels = np.asarray(value)
        if name == view.name or labels.ndim == 0 or len(labels) < 2:
            continue
        if labels.dtype.kind in "iu" and labels.ndim == 1:
            counted: Array = np.arange(len(labels)).astype(labels.dtype)
        elif labels.ndim == 2 and labels.shape[0] == labels.shape[1] and set(np.unique(labels)) <= {0, 1}:
            counted = np.eye(len(labels)).astype(labels.dtype)
        else:
            continue
        matrix = view.measure({name: counted})
        if matrix is not None and matrix.shape == view.J.shape:
            yield Prediction(f"the gradient is that for {name} counting the samples", remedy, jacobian=matrix)


@rule("transposed-jacobian", "jacobian", 15)
def transposed_jacobian(view: View) -> Iterator[Prediction]:
    """The Jacobian itself is applied, or a matrix in it, where its transpose belongs.

    How it comes about: ``g @ W`` instead of ``g @ W.T``, a rotation that is not inverted, ``dS @ Q`` instead of
    ``dS.T @ Q``. Square shapes hide the error of shape.

    Formula: a = J g, where the truth is J^T g.

    Hidden when: the matrix is symmetric, the angle is zero, or the shapes are not square (then it raises).

    Mended: transpose; and check with shapes that are not square.

    Wrong::

        dx = g @ W

    Right::

        dx = g @ W.T
    """
    remedy = "transpose the matrix; check it with sizes that differ, so that the shapes tell"
    if view.M == view.N:
        message = "J g was returned where J^T g belongs"
        yield Prediction(message, remedy, jacobian=view.J.T.copy(), usual=not view.elementwise)
    for section, shape in zip(view.sections, view.shapes, strict=True):
        for first, second in combinations(range(len(shape)), 2):
            if shape[first] == shape[second] > 1:
                order = np.arange(int(np.prod(shape))).reshape(shape).swapaxes(first, second).ravel()
                turned = view.J.copy()
                turned[section] = view.J[section][order]
                yield Prediction(
                    f"the upstream was used with its axes {first} and {second} exchanged (a missing transpose)",
                    remedy,
                    jacobian=turned,
                    rank=1,
                    usual=True,
                )
    for name, other in view.truth.inputs.items():
        if name != view.name and np.ndim(other) >= 2 and np.shape(other)[-1] == np.shape(other)[-2] > 1:
            yield from _symmetric(view, name, remedy)
            turned_input = view.measure({name: np.swapaxes(other, -1, -2)})
            if turned_input is not None and turned_input.shape == view.J.shape and _turns(view.J, turned_input):
                message = f"{name} was used without its transpose"
                yield Prediction(message, remedy, jacobian=turned_input, rank=2, usual=True)
                if view.A is not None and view.N >= 3 and view.M >= 2:
                    # what stands outside the matrix (the slope of an activation) scales whole rows
                    size = (turned_input * turned_input).sum(axis=1)
                    share = (view.A * turned_input).sum(axis=1) / np.where(size > 0, size, 1.0)
                    rows = share[:, None] * turned_input
                    yield Prediction(message, remedy, jacobian=rows, rank=6, free=view.M)


def _turns(true: Array, turned: Array) -> bool:
    """Whether the transpose makes a difference that is more than a factor for each output."""
    size = (true * true).sum(axis=1)
    share = (turned * true).sum(axis=1) / np.where(size > 0, size, 1.0)
    return bool(np.linalg.norm(turned - share[:, None] * true) > 1e-6 * np.linalg.norm(turned))


def _symmetric(view: View, name: str, remedy: str) -> Iterator[Prediction]:
    """The error is gone once a square matrix among the inputs is symmetric: its transpose was used deep inside."""
    matrix = np.asarray(view.truth.inputs[name])
    if view.account is None or matrix.dtype.kind != "f" or view.wrongness < 1e-3:
        return
    even = {name: 0.5 * (matrix + np.swapaxes(matrix, -1, -2))}
    true = view.measure(even)
    if true is None or np.linalg.norm(true) < 1e-2 * np.linalg.norm(view.J) or view.N < 3:
        return
    error = error_at(view, even, {})
    if error is not None and error < view.tolerance:
        message = f"the gradient is right once {name} is symmetric: it was used without its transpose"
        yield Prediction(message, remedy, explained=error, rank=8, evidence={f"error with {name} symmetric": error})
