"""Geometry: interpolation weights, height and width, rows that are viewed with another shape."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Array, Floats
from gradcheck.rules.view import View
from gradcheck.rules.windows import leading, partial_windows


@rule("interpolation-weights-swapped", "axis", 12)
def interpolation_swapped(view: View) -> Iterator[Prediction]:
    """The weights t and 1 - t of an interpolation are exchanged, or corners are left out.

    How it comes about: the corner below gets t instead of 1 - t.

    Formula: the entries of every row of J are exchanged; their sum is right.

    Hidden when: every position is half way, or exactly on an entry.

    Mended: the nearer corner has the larger weight.

    Wrong::

        dx[lo] += t * g; dx[lo + 1] += (1 - t) * g

    Right::

        dx[lo] += (1 - t) * g; dx[lo + 1] += t * g
    """
    remedy = "give the nearer corner the larger weight: 1 - t below, t above"
    linked = np.abs(view.J) > view.zero
    counts = linked.sum(axis=1)
    if (
        view.M >= 2
        and np.all(counts <= 16)
        and np.any(counts >= 2)
        and np.all(np.abs(view.J.sum(axis=1) - 1) < view.slack)
    ):
        text = "the weights of the corners are exchanged"
        yield Prediction(text, remedy, jacobian=_reordered(view, linked, lambda n: np.arange(n)[::-1]), usual=True)
        if np.any(counts == 4):
            for order in ((1, 0, 3, 2), (2, 3, 0, 1)):
                matrix = _reordered(view, linked, lambda n, o=order: np.array(o) if n == 4 else np.arange(n)[::-1])
                yield Prediction(f"{text} along one axis", remedy, jacobian=matrix, rank=1)
        inner = counts >= 2
        if view.A is not None and not view.offset.any() and not inner.all() and inner.sum() >= 2:
            turned = _reordered(view, linked, lambda n: np.arange(n)[::-1])
            off = distance(view.A[inner], turned[inner])
            shortfall = float(np.abs(view.A.sum(axis=1) - view.J.sum(axis=1)).max())
            if shortfall < 10 * view.slack:
                yield Prediction(text, remedy, explained=off, rank=2)
        for label, keep in (("lower", 0), ("upper", -1)):
            matrix = np.zeros_like(view.J)
            for row in range(view.M):
                places = np.flatnonzero(linked[row])
                if len(places):
                    matrix[row, places[keep]] = view.J[row, places[keep]]
            yield Prediction(f"only the {label} corner received its share", remedy, jacobian=matrix, rank=4)
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name != view.name and array.dtype.kind == "f" and array.size and np.any(array != np.floor(array)):
            mirrored = 2 * np.floor(array) + 1 - array
            other = view.measure({name: mirrored})
            if other is not None and other.shape == view.J.shape and view.M >= 2:
                text = f"the weights are those of {name} mirrored between its neighbours"
                yield Prediction(text, remedy, jacobian=other, rank=2)


def _reordered(view: View, linked: np.ndarray, order: object) -> Floats:
    matrix = np.zeros_like(view.J)
    for row in range(view.M):
        places = np.flatnonzero(linked[row])
        matrix[row, places] = view.J[row, places][order(len(places))]  # type: ignore[operator]
    return matrix


@rule("height-width-swapped", "axis", 13)
def height_width(view: View) -> Iterator[Prediction]:
    """The height is used where the width belongs: as the bound of a loop, in an index, in a scale.

    How it comes about: it works on square images.

    Formula: some columns are never reached (zeros), or entries are addressed with i * H + j for i * W + j.

    Hidden when: images and kernels are square.

    Mended: take every length from the axis it belongs to; test with images that are not square.

    Wrong::

        for j in range(g.shape[0]): ...

    Right::

        for j in range(g.shape[1]): ...
    """
    remedy = "take every length from its own axis, and test with images that are not square"
    for shape, rows in ((view.shapes[0], True), (view.x.shape, False)) if len(view.shapes) == 1 else ():
        if len(shape) < 2:
            continue
        first, second = len(shape) - 2, len(shape) - 1
        place = np.unravel_index(np.arange(int(np.prod(shape))), shape)
        what = "the output" if rows else view.name
        for axis, other in ((second, first), (first, second)):
            if shape[axis] > shape[other] or view.account is None:
                keep = place[axis] < shape[other]
                matrix = np.where(keep[:, None] if rows else keep[None, :], view.J, 0.0)
                text = f"along axis {axis} of {what} only the first {shape[other]} of {shape[axis]} were reached"
                usual = rows and shape[first] > 1 and view.x.ndim >= 2 and _windows_or_scale(view)
                yield Prediction(text, remedy, jacobian=matrix, usual=usual and axis == second)
        if shape[first] != shape[second]:
            height, width = shape[first], shape[second]
            local = place[first] * height + place[second]
            block = np.arange(int(np.prod(shape))) // (height * width) * (height * width)
            inside = local < height * width
            matrix = np.zeros_like(view.J)
            if rows:
                matrix[inside] = view.J[(block + local)[inside]]
                yield Prediction("the upstream was addressed with i * H + j", remedy, jacobian=matrix, rank=2)
                matrix = np.zeros_like(view.J)
                np.add.at(matrix, (block + local % (height * width)), view.J)
            else:
                target = (block + local)[inside]
                for column, source in zip(target, np.flatnonzero(inside), strict=True):
                    matrix[:, column] += view.J[:, source]
            yield Prediction(f"{what} was addressed with i * H + j for i * W + j", remedy, jacobian=matrix, rank=2)
    yield from _pairs(view, remedy)
    yield from _scales(view, remedy)


def _scales(view: View, remedy: str) -> Iterator[Prediction]:
    """A layer that picks entries at a step of its own along each axis: one axis was read at the step of the other."""
    if view.account is None or len(view.shapes) != 1 or len(view.shapes[0]) != view.x.ndim or view.x.ndim < 2:
        return
    linked = np.abs(view.J) > view.zero
    if not np.all(linked.sum(axis=1) == 1):
        return
    (shape,), last = view.shapes, view.x.ndim - 1
    place = np.unravel_index(np.arange(view.M), shape)
    picked = np.array(np.unravel_index(linked.argmax(axis=1), view.x.shape))
    for axis, other in ((last, last - 1), (last - 1, last)):
        step = view.x.shape[other] / shape[other]
        if step == view.x.shape[axis] / shape[axis]:
            continue
        for moved in (place[axis] * step, (place[axis] + 0.5) * step):
            index = picked.copy()
            index[axis] = np.minimum(np.floor(moved + 1e-9).astype(np.intp), view.x.shape[axis] - 1)
            matrix = np.zeros_like(view.J)
            column = np.ravel_multi_index(tuple(index), view.x.shape)
            matrix[np.arange(view.M), column] = view.J[linked]
            text = f"along axis {axis} entries were picked at the step of axis {other}"
            yield Prediction(text, remedy, jacobian=matrix, rank=3)


def _windows_or_scale(view: View) -> bool:
    """Whether the layer is geometric: every output entry sees few of the input's."""
    smaller = view.M < view.N and len(view.shapes[0]) == view.x.ndim
    return partial_windows(view) or (smaller and not np.any((np.abs(view.J) > view.zero).sum(axis=0) > 1))


def _pairs(view: View, remedy: str) -> Iterator[Prediction]:
    """Options that come in pairs, exchanged."""
    options = view.truth.options
    changes: list[tuple[str, dict[str, Plain], int]] = []
    for option, value in options.items():
        if isinstance(value, (list, tuple)) and len(value) == 2 and value[0] != value[1]:
            changes.append((f"the two numbers of {option} were exchanged", {option: [value[1], value[0]]}, 0))
    for first, second in combinations(options, 2):
        a, b = options[first], options[second]
        if isinstance(a, (int, float)) and isinstance(b, (int, float)) and a != b and type(a) is type(b):
            changes.append((f"{first} and {second} were exchanged", {first: b, second: a}, 4))
    for message, change, rank in changes:
        matrix = leading(view, change, whole=False)
        if matrix is not None:
            yield Prediction(message, remedy, jacobian=matrix, rank=rank)
        # as many outputs in another shape: the upstream is read as if it had that one
        other = view.measure(options=change) if view.account is not None else None
        if other is not None and other.shape == view.J.shape and len(view.shapes) == 1:
            yield Prediction(message, remedy, jacobian=other, rank=rank)


@rule("rows-viewed-with-wrong-shape", "axis", 23)
def rows_viewed(view: View) -> Iterator[Prediction]:
    """The backward flattens to (shape[0], -1) whereas the rows of the forward are along the last axis.

    How it comes about: ``x.reshape(len(x), -1)`` is right for two axes.

    Formula: the closed form for rows of T D entries instead of D.

    Hidden when: the input has two axes, or T = 1.

    Mended: ``x.reshape(-1, x.shape[-1])``.

    Wrong::

        rows = x.reshape(len(x), -1)

    Right::

        rows = x.reshape(-1, x.shape[-1])
    """
    if view.x.ndim < 3 or not view.alike:
        return
    count = view.x.size // view.x.shape[0]
    inputs: dict[str, Array] = {view.name: view.x.reshape(view.x.shape[0], -1)}
    for name, value in view.truth.inputs.items():
        if name != view.name and np.shape(value) == (view.x.shape[-1],):
            inputs[name] = np.tile(value, count // view.x.shape[-1])
    options: dict[str, Plain] = {}
    for option, number in view.truth.options.items():
        if isinstance(number, int) and not isinstance(number, bool) and number == view.x.ndim - 1 and "ax" in option:
            options[option] = 1
    matrix = view.measure(inputs, options)
    if matrix is not None and matrix.shape == view.J.shape:
        yield Prediction(
            "the rows of the backward are the input flattened to (shape[0], -1), those of the forward its last axis",
            "flatten to (-1, shape[-1])",
            jacobian=matrix,
            usual=True,
        )
