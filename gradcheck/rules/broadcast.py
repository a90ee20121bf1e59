"""Broadcast operands: their gradient must be summed over the axes that were broadcast."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.scale import batched
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


def spread(view: View) -> int:
    """Return over how many output entries each entry of the input was broadcast; 1 if it is no broadcast operand."""
    linked = np.abs(view.J) > view.zero
    if view.N == 0 or view.M % max(view.N, 1) or np.any(linked.sum(axis=1) > 1):
        return 1
    return view.M // view.N if view.N < view.M and len(view.shapes) == 1 else 1


@rule("broadcast-not-summed", "broadcast", 5)
def broadcast_not_summed(view: View) -> Iterator[Prediction]:
    """The gradient of a broadcast operand keeps the axes that it was broadcast over.

    How it comes about: y = x + b works for b of any shape that broadcasts; its gradient is returned as g.

    Formula: shape(a) = shape(y), and a summed over the broadcast axes is right.

    Hidden when: the batch has one sample and the bias that axis too; ``w -= lr * dw`` may broadcast silently.

    Mended: sum over the axes that were broadcast.

    Wrong::

        return g

    Right::

        return g.sum(axis=0)
    """
    if view.account is None:
        factor = spread(view)
        if factor > 1 or (view.N == view.M and len(view.shapes) == 1 and view.shapes[0] != view.x.shape):
            yield Prediction("kept the broadcast axes", "", explained=1.0 if factor > 1 else 0.0, usual=True)
        return
    seen = view.account.gradients.get(view.name)
    if seen is None or np.shape(seen) == view.x.shape or np.asarray(seen).dtype.kind not in "iufb":
        return
    array = np.asarray(seen, dtype=np.float64)
    for axes, total in summed(array, view.x.shape):
        value = distance(total.ravel(), view.t)
        if value < max(1e-5, view.tolerance):
            yield Prediction(
                f"the gradient has the shape {array.shape}, not {view.x.shape}: it was not summed over the broadcast "
                f"axes {', '.join(map(str, axes))}",
                f"sum over the axes {', '.join(map(str, axes))}",
                explained=value,
            )


def summed(array: Floats, shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Floats]]:
    """Yield the sums of an array over some axes that have the size of a shape."""
    size = int(np.prod(shape))
    for count in range(1, array.ndim + 1):
        for axes in combinations(range(array.ndim), count):
            total = np.sum(array, axis=axes)
            if np.size(total) == size:
                yield axes, np.asarray(total)


@rule("broadcast-averaged-not-summed", "broadcast", 7)
def broadcast_averaged(view: View) -> Iterator[Prediction]:
    """The gradient of a broadcast operand is averaged over the broadcast axes instead of summed.

    How it comes about: ``mean`` is written where ``sum`` belongs, as if the loss had not been averaged yet.

    Formula: a = J^T g / n for the operand alone, n the number of entries it was broadcast over.

    Hidden when: the batch has one sample.

    Mended: sum; the mean of the loss is part of the upstream already.

    Wrong::

        db = g.mean(axis=0)

    Right::

        db = g.sum(axis=0)
    """
    count = spread(view)
    if count >= 1 and (count > 1 or view.account is None) and view.M >= view.N and not view.alike:
        yield Prediction(
            f"the gradient was averaged over the {count} entries that {view.name} was broadcast to, not summed",
            "sum over the broadcast axes",
            jacobian=view.J / count,
            usual=True,
        )
    if count > 1 and view.account is None:
        return  # the plainest form is enough for an audit
    found = _spread_inside(view)
    if found is not None and found[1] != count:
        name, times = found
        yield Prediction(
            f"the gradient was averaged over the {times} copies of {view.name} that were broadcast to {name}, not "
            "summed",
            "sum over the broadcast axes",
            jacobian=view.J / times,
            usual=True,
            rank=3 if batched(view) else 0,  # what is a mean over the batch may as well be divided twice
        )


def _spread_inside(view: View) -> tuple[str, int] | None:
    """Return with which input this one is broadcast inside the layer, and how many times, if its sums hide it.

    There the layer returns the same for the operand with as many copies as the other input has places for: a vector
    that a matrix is multiplied with has the shape for it as well, but not the same output.
    """
    for name, value in view.truth.inputs.items():
        if name == view.name or np.asarray(value).dtype.kind not in "iufb":
            continue
        try:
            shape = np.broadcast_shapes(view.x.shape, np.shape(value))
        except ValueError:
            continue
        times = int(np.prod(shape)) // max(view.N, 1)
        if times < 2:
            continue
        copies = np.broadcast_to(view.truth.inputs[view.name], shape).copy()
        outputs = view.truth.forward({view.name: copies}, {})
        if outputs is not None and all(
            np.shape(new) == np.shape(old) and np.allclose(new, old, rtol=view.grain, atol=1e-12)
            for new, old in zip(outputs, view.truth.outputs, strict=True)
        ):
            return name, times
    return None


@rule("broadcast-wrong-axis-summed", "broadcast", 12)
def broadcast_wrong_axis(view: View) -> Iterator[Prediction]:
    """The gradient of a broadcast operand is summed over another axis than it was broadcast over.

    How it comes about: a helper that undoes broadcasting numbers the axes from the wrong end, or sums axis 0 always.

    Formula: a = sum of g over another axis, brought to the operand's shape; the total is right, its place is not.

    Hidden when: both operands have as many axes and none of length 1; arrays that are not square raise.

    Mended: sum the leading axes that the operand does not have, and those where it has length 1.

    Wrong::

        db = g.sum(axis=1)

    Right::

        db = g.sum(axis=0)
    """
    if view.account is not None:
        yield from _summed_too_far(view)
        yield from _tiled_or_repeated(view)
    if spread(view) <= 1:
        return
    weight = view.J.sum(axis=1)
    (shape,) = view.shapes
    own = np.abs(view.J) > view.zero
    for count in range(1, len(shape)):
        for axes in combinations(range(len(shape)), count):
            kept = [axis for axis in range(len(shape)) if axis not in axes]
            if int(np.prod([shape[axis] for axis in kept])) != view.N:
                continue
            place = np.unravel_index(np.arange(view.M), shape)
            for order in permutations(kept):
                target = np.ravel_multi_index(tuple(place[a] for a in order), tuple(shape[a] for a in order))
                matrix = np.zeros_like(view.J)
                matrix[np.arange(view.M), target] = weight
                if not np.array_equal(matrix != 0, own):
                    yield Prediction(
                        f"the gradient was summed over the axes {', '.join(map(str, axes))} of the output, not over "
                        f"those that {view.name} was broadcast along",
                        "sum over the axes that were broadcast",
                        jacobian=matrix,
                        rank=order != tuple(kept),
                        usual=True,
                    )


def _summed_too_far(view: View) -> Iterator[Prediction]:
    """The gradient was summed over an axis of the operand as well, and spread over it again."""
    if view.x.ndim < 2 or view.A is None or view.offset.any():
        return
    grid = view.J.reshape(view.M, *view.x.shape)
    for count in range(1, view.x.ndim + 1):
        for axes in combinations(range(view.x.ndim), count):
            if any(view.x.shape[axis] < 2 for axis in axes):
                continue
            total = grid.sum(axis=tuple(axis + 1 for axis in axes), keepdims=True)
            matrix = np.broadcast_to(total, grid.shape).reshape(view.J.shape)
            if np.abs(matrix).max(initial=0.0) > view.zero:
                yield Prediction(
                    f"the gradient was summed over axis {' and '.join(map(str, axes))} of {view.name} as well",
                    f"sum over the axes that {view.name} was broadcast along, and no others",
                    jacobian=matrix,
                    rank=6,
                )


def _tiled_or_repeated(view: View) -> Iterator[Prediction]:
    """An operand was repeated, a a b b, and its gradient summed as if it had been tiled, a b a b; or the reverse."""
    if view.A is None or len(view.shapes) != 1:
        return
    grid = view.J.reshape(*view.shapes[0], *view.x.shape)
    rank = len(view.shapes[0])
    for along, length in enumerate(view.shapes[0]):
        for axis, size in enumerate(view.x.shape):
            times = length // size if size else 0
            if size < 2 or times < 2 or length % size:
                continue
            slabs = np.moveaxis(grid, (along, rank + axis), (0, 1))
            used = np.abs(slabs).reshape(length, size, -1).max(axis=2) > view.zero
            number = np.arange(length)
            for words, own, other in (
                ("repeated, and summed as if tiled", number // times, number % size),
                ("tiled, and summed as if repeated", number % size, number // times),
            ):
                if np.array_equal(used, own[:, None] == np.arange(size)) and not np.array_equal(own, other):
                    moved = np.zeros_like(slabs)
                    moved[number, other] = slabs[number, own]
                    matrix = np.moveaxis(moved, (0, 1), (along, rank + axis)).reshape(view.J.shape)
                    yield Prediction(
                        f"axis {axis} of {view.name} was {words}",
                        "sum over the copies of each entry, in the order in which the forward made them",
                        jacobian=matrix,
                        rank=3,
                    )
