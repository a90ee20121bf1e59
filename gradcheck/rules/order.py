"""Order: gradients that come back permuted, exchanged, or scanned in the wrong direction."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View, kinds


def is_permutation(matrix: Floats, slack: float) -> bool:
    """Whether a square matrix has one entry 1 in every row and column and 0 elsewhere."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        return False
    whole = np.round(matrix)
    close = np.abs(whole - matrix).max() < slack
    return bool(
        close and np.all(whole.sum(0) == 1) and np.all(whole.sum(1) == 1) and np.all((whole == 0) | (whole == 1))
    )


def depends_on_data(view: View) -> bool:
    """Whether the Jacobian changes with the values of the input, or there are indices among the inputs."""
    if any(np.asarray(v).dtype.kind in "iu" for name, v in view.truth.inputs.items() if name != view.name):
        return True
    other = view.measure({view.name: np.flip(view.x).copy()})
    return other is not None and other.shape == view.J.shape and bool(np.abs(other - view.J).max() > 2 * view.slack)


def transpositions(shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield orders in which entries come when axes are permuted once more, or reshaped instead of permuted."""
    if not 2 <= len(shape) <= 4:
        return
    size = int(np.prod(shape))
    seen = {tuple(range(size))}
    for axes in permutations(range(len(shape))):
        if axes == tuple(range(len(shape))):
            continue
        moved = tuple(shape[axis] for axis in axes)
        for order in (
            np.arange(size).reshape(shape).transpose(axes).ravel(),
            np.arange(size).reshape(moved).transpose(np.argsort(axes)).ravel(),
        ):
            if tuple(order) not in seen:
                seen.add(tuple(order))
                yield f"axes {', '.join(map(str, axes))}", order


def shuffles(view: View, shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield orders along one axis: reversed, rolled, sorted, unsorted, or by indices among the inputs."""
    size = int(np.prod(shape))
    plain = np.arange(size).reshape(shape)
    for axis, length in enumerate(shape):
        if length < 2:
            continue
        yield f"reversed along axis {axis}", np.flip(plain, axis).ravel()
        for shift in (1, -1):
            yield f"rolled by {shift} along axis {axis}", np.roll(plain, shift, axis).ravel()
        if shape == view.x.shape:
            order = np.argsort(view.x, axis=axis, kind="stable")
            for label, index in (
                ("in sorted order", order),
                ("in the inverse of sorted order", np.argsort(order, axis)),
            ):
                yield f"{label} along axis {axis}", np.take_along_axis(plain, index, axis).ravel()
            yield (
                f"in descending order along axis {axis}",
                np.take_along_axis(plain, np.flip(order, axis), axis).ravel(),
            )
        for name, value in view.truth.inputs.items():
            index = np.asarray(value)
            if index.dtype.kind in "iu" and index.shape == (length,) and set(index.tolist()) == set(range(length)):
                yield f"by {name} along axis {axis}", np.take(plain, index, axis).ravel()
                yield f"by the inverse of {name} along axis {axis}", np.take(plain, np.argsort(index), axis).ravel()


@rule("permutation-not-inverted", "axis", 13)
def permutation_not_inverted(view: View) -> Iterator[Prediction]:
    """The same permutation, or a plain reshape, is applied where its inverse belongs.

    How it comes about: the backward of ``transpose(axes)`` transposes by ``axes`` again; heads are merged by a reshape
    without the transpose before it.

    Formula: a = P g where the truth is P^-1 g: the entries of a are those of the truth in another order.

    Hidden when: the permutation is its own inverse (any exchange of two axes), or the upstream is constant.

    Mended: transpose by ``np.argsort(axes)``.

    Wrong::

        return g.transpose(axes)

    Right::

        return g.transpose(np.argsort(axes))
    """
    message = "the gradient comes back in another order: {}"
    remedy = "apply the inverse permutation (np.argsort of the axes)"
    if is_permutation(view.J, view.slack):
        text = message.format("the permutation of the forward was applied again, not its inverse")
        yield Prediction(text, remedy, jacobian=view.J.T.copy(), usual=True)
        text = message.format("the upstream was only given the input's shape")
        data = view.account is not None and depends_on_data(view)
        yield Prediction(text, remedy, jacobian=np.eye(view.N), rank=8 if data else 0)
    for label, order in transpositions(view.x.shape):
        yield Prediction(message.format(label), remedy, jacobian=view.J[:, order], rank=6)
    if len(view.shapes) == 1:
        shapes = [view.shapes[0], view.x.shape] if view.M == view.N else [view.shapes[0]]
        for shape in dict.fromkeys(shapes):
            for label, order in transpositions(shape):
                yield Prediction(message.format(f"the upstream's {label}"), remedy, jacobian=view.J[order], rank=7)
    if (
        view.A is not None
        and is_permutation(view.J, view.slack)
        and is_permutation(view.A, view.slack)
        and not view.offset.any()
    ):
        yield Prediction(message.format("it is another permutation"), remedy, jacobian=np.round(view.A), rank=20)


@rule("order-permuted-slices", "axis", 14)
def order_permuted(view: View) -> Iterator[Prediction]:
    """Slices come back in another order: sorted, reversed, gathered where they should be scattered.

    How it comes about: the backward of sort returns the upstream as it is, in sorted order; weights are reversed.

    Formula: a = Pi t, the truth permuted along one axis.

    Hidden when: the input is sorted already, has length 1, or the upstream is constant; norms do not show it.

    Mended: scatter through the indices of the forward: ``dx[order] = g``.

    Wrong::

        return g                                      # forward: np.sort(x)

    Right::

        dx = np.empty_like(g); dx[np.argsort(x)] = g; return dx
    """
    message = "the gradient comes back in another order: {}"
    remedy = "scatter through the indices that the forward gathered with: dx[order] = g"
    if is_permutation(view.J, view.slack):
        data = depends_on_data(view)
        if data:
            identity = np.eye(view.N)
            yield Prediction(message.format("that of the output"), remedy, jacobian=identity, rank=-2, usual=True)
            again = message.format("gathered where it should be scattered")
            yield Prediction(again, remedy, jacobian=view.J.T.copy(), rank=-2)
    for label, order in shuffles(view, view.x.shape):
        if view.account is not None and _by_chance(view, order):
            continue
        yield Prediction(message.format(label), remedy, jacobian=view.J[:, order], rank=4)
    if len(view.shapes) == 1:
        for label, order in shuffles(view, view.shapes[0]):
            yield Prediction(message.format(f"the upstream {label}"), remedy, jacobian=view.J[order], rank=5)
    yield from _any_order(view, message, remedy)


def _any_order(view: View, message: str, remedy: str) -> Iterator[Prediction]:
    """The columns of what was implied are those of the truth, in whatever order."""
    if view.A is None or view.offset.any() or view.N < 3 or not np.all(np.isfinite(view.A)):
        return
    key = np.random.default_rng(view.N).standard_normal(view.M)
    true, seen = key @ view.J, key @ view.A
    first, second = np.argsort(true, kind="stable"), np.argsort(seen, kind="stable")
    moved = np.abs(true - seen) > 100 * view.zero
    if kinds(true[moved], 100 * view.zero) < 3:
        return
    # equal columns (those of zeros too) are interchangeable
    order = np.empty(view.N, dtype=np.intp)
    order[second] = first
    yield Prediction(message.format("its entries are those of the truth"), remedy, jacobian=view.J[:, order], rank=30)


def _by_chance(view: View, order: np.ndarray) -> bool:
    """Whether several entries move but take too few different values to tell that they moved."""
    key = np.random.default_rng(view.N).standard_normal(view.M) @ view.J
    moved = np.abs(key - key[order]) > 100 * view.zero
    return bool(np.count_nonzero(moved) > 2 and kinds(key[moved], 100 * view.zero) < 3)


@rule("swapped-gradients", "axis", 7)
def swapped_gradients(view: View) -> Iterator[Prediction]:
    """The gradients of two inputs, or of two halves, are exchanged.

    How it comes about: they are returned in another order than the inputs, or the split point is that of the other
    part.

    Formula: a_A = t_B, a_B = t_A.

    Hidden when: both halves of the upstream are equal, or only one of the inputs is checked.

    Mended: return the gradients in the order of the inputs.

    Wrong::

        return g[:, k:], g[:, :k]                     # forward: concatenate([a, b], 1)

    Right::

        return g[:, :k], g[:, k:]
    """
    remedy = "return the gradients in the order of the inputs"
    for name in view.truth.wrt:
        other = view.truth.jacobians[name]
        if name != view.name and other.shape == view.J.shape:
            message = f"the gradient of {name} was returned for {view.name}"
            yield Prediction(message, remedy, jacobian=other, usual=True)
    for first in range(len(view.sections)):
        for second in range(first):
            own, partner = view.sections[first], view.sections[second]
            if view.J[own].shape == view.J[partner].shape:
                matrix = view.J.copy()
                matrix[own], matrix[partner] = view.J[partner], view.J[own]
                text = f"the upstreams of outputs {second} and {first} were exchanged"
                yield Prediction(text, remedy, jacobian=matrix, rank=1, usual=True)
    for axis, length in enumerate(view.x.shape):
        if length % 2 == 0:
            halves = np.roll(np.arange(view.N).reshape(view.x.shape), length // 2, axis).ravel()
            if view.account is not None and _by_chance(view, halves):
                continue
            text = f"the two halves along axis {axis} were exchanged"
            yield Prediction(text, remedy, jacobian=view.J[:, halves], rank=2)
    if len(view.shapes) == 1:
        for axis, length in enumerate(view.shapes[0]):
            if length % 2 == 0:
                halves = np.roll(np.arange(view.M).reshape(view.shapes[0]), length // 2, axis).ravel()
                text = f"the two halves of the upstream along axis {axis} were exchanged"
                yield Prediction(text, remedy, jacobian=view.J[halves], rank=3)
