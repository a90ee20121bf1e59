"""Axes: a reduction over another axis than the forward's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.anatomy import fit
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.ratios import constant
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


def together(shape: tuple[int, ...], axes: tuple[int, ...]) -> Floats:
    """Return which entries of an array share a slice along some axes: ``(N, N)`` of 0 and 1."""
    size = int(np.prod(shape))
    place = np.unravel_index(np.arange(size), shape)
    same = np.ones((size, size), dtype=bool)
    for axis in range(len(shape)):
        if axis not in axes:
            same &= place[axis][:, None] == place[axis][None, :]
    return same.astype(np.float64)


@rule("wrong-axis", "axis", 25)
def wrong_axis(view: View) -> Iterator[Prediction]:
    """A reduction in the backward runs over another axis than the forward's, or over more or fewer.

    How it comes about: ``axis=-1`` is written into the backward while the forward takes an axis; ``sum()`` without an
    axis; an upstream without ``keepdims`` that is broadcast along the wrong axis of a square array.

    Formula: the sums of J^T g are taken over other slices.

    Hidden when: the axis is the last one, there is one slice, or the upstream is constant; square arrays hide the
    shape.

    Mended: hand the forward's axis to every reduction of the backward, with keepdims.

    Wrong::

        return p * (g - (p * g).sum(axis=-1, keepdims=True))

    Right::

        return p * (g - (p * g).sum(axis=axis, keepdims=True))
    """
    remedy = "reduce over the axis of the forward, with keepdims"
    rank = view.x.ndim
    subsets = [axes for size in range(1, rank + 1) for axes in combinations(range(rank), size)]
    for option in AXIS_OPTIONS:
        if option in view.truth.options:
            values: list[Plain] = [*range(rank), None]
            for value in values:
                other = view.measure(options={option: value})
                if other is not None and other.shape == view.J.shape:
                    text = f"the backward worked along {option} = {value}"
                    yield Prediction(text, remedy, jacobian=other, usual=value == rank - 1 and view.coupled)
    shape = view.anatomy
    if shape is not None:
        own = int(shape.same[0].sum())
        usual = _usual_slices(view)
        for axes in subsets:
            same = together(view.x.shape, axes)
            if np.array_equal(same, shape.same) and axes not in usual:
                continue
            count = int(same[0].sum())
            message = f"the sums of the backward ran over {_names(axes)}, not over those of the forward"
            words = f"{message} ({usual[axes]})" if axes in usual else message
            wide = len(axes) > 1
            yield Prediction(words, remedy, jacobian=shape.compose(same=same), rank=wide, usual=axes in usual)
            yield Prediction(message, remedy, jacobian=shape.compose(same=same * own / count), rank=wide)
    yield from _other_slices(view, subsets, remedy)
    yield from _reductions(view, remedy)


AXIS_OPTIONS = ("axis", "dim", "axes", "dims")


def _usual_slices(view: View) -> dict[tuple[int, ...], str]:
    """Sets of axes that sums are often taken over by mistake, with a word for each."""
    rank = view.x.ndim
    found = {tuple(range(rank)): "the whole array"}
    if any(option in view.truth.options for option in AXIS_OPTIONS):
        found[(rank - 1,)] = "the last axis"
    coupled = [axis for axis in range(rank) if axis in view.axes or view.x.shape[axis] == 1]
    if len(coupled) > 1:
        found[(coupled[0],)] = "the first of several axes"
    if view.axes and len(view.blocks) >= 1 and view.axes not in found:
        found[view.axes] = "all groups"
    return found


def _other_slices(view: View, subsets: list[tuple[int, ...]], remedy: str) -> Iterator[Prediction]:
    """What the backward implies is a diagonal and outer products over slices that are not those of the forward."""
    if view.A is None or not view.coupled or view.offset.any() or not np.all(np.isfinite(view.A)):
        return
    own = np.zeros((view.N, view.N))
    for rows, columns in view.blocks:
        own[np.ix_(rows, columns)] = 1.0
        part = np.ix_(rows, columns)
        if np.abs(view.A[part] - view.J[part]).max() <= view.slack * np.abs(view.J[part]).max():
            # sums over other slices would spoil every slice: where one is right, the others took a wrong branch
            return
    words = {"one": np.ones(view.N), "y": view.y, "x": view.x.ravel()}
    for axes in subsets:
        same = together(view.x.shape, axes)
        if np.array_equal(same, own) or np.any(np.abs(view.A[same == 0]) > view.zero):
            continue
        blocks = [np.flatnonzero(row) for row in np.unique(same, axis=0)]
        for labels in (("y",), ("one", "y"), ("one", "x")):
            # the scale of every slice multiplies the sum: the words are those inside it, so the rows are the inputs
            found, spare = fit(view.A.T, blocks, [words[w] for w in labels], labels, same, view.noise + 1e-7)
            if found is not None and spare >= view.N and all(term.inside.any() for term in found.terms):
                message = f"the sums of the backward ran over {_names(axes)}, not over the slices of the forward"
                value = distance(found.compose(), view.A.T)
                yield Prediction(message, remedy, explained=value, rank=12, evidence={"terms": list(labels)})
                return


def _names(axes: tuple[int, ...]) -> str:
    return f"{'axis' if len(axes) == 1 else 'the axes'} {', '.join(map(str, axes))}"


def _reductions(view: View, remedy: str) -> Iterator[Prediction]:
    """Layers whose every input entry reaches one output entry: its weight, or its place, comes from another slicing."""
    support = np.abs(view.J) > view.zero
    few = view.M < 2 and view.account is not None
    if few or view.alike or np.any(support.sum(axis=0) > 1) or len(view.shapes[0]) >= view.x.ndim:
        return
    weight = view.J.sum(axis=0)
    removed = [axes for axes in combinations(range(view.x.ndim), view.x.ndim - len(view.shapes[0])) if axes]
    kept_shapes = [tuple(n for axis, n in enumerate(view.x.shape) if axis not in axes) for axes in removed]
    if view.shapes[0] not in kept_shapes:
        return
    flat = view.measure({view.name: view.x.reshape(1, -1)})
    whole = [flat] if flat is not None else []
    for option in ("axis", "dim"):
        if option in view.truth.options:
            for value in (None, *range(view.x.ndim)):
                other = view.measure(options={option: value})
                if other is not None:
                    whole.append(other)
    for other in whole:
        if other.shape[1] == view.N and np.all((np.abs(other) > view.zero).sum(axis=0) <= 1):
            message = (
                "the weight of every entry was computed over another slice (or all of the array) than the forward's"
            )
            usual = other is flat
            yield Prediction(message, remedy, jacobian=support * other.sum(axis=0), usual=usual)
            count = support.sum(axis=1).max()
            yield Prediction(message, remedy, jacobian=support * other.sum(axis=0) * (view.N / len(other) / count))
    for axes in combinations(range(view.x.ndim), view.x.ndim - len(view.shapes[0])):
        kept = [axis for axis in range(view.x.ndim) if axis not in axes]
        if tuple(view.x.shape[axis] for axis in kept) != view.shapes[0]:
            continue
        place = np.unravel_index(np.arange(view.N), view.x.shape)
        target = np.ravel_multi_index(tuple(place[axis] for axis in kept), view.shapes[0]) if kept else place[0] * 0
        spread = np.zeros_like(view.J)
        spread[target, np.arange(view.N)] = weight
        message = f"the upstream was spread along {_names(axes)}"
        yield Prediction(message, remedy, jacobian=spread, usual=axes == tuple(range(len(axes))))
    yield from _sums_elsewhere(
        view,
        support,
        [axes for axes, left in zip(removed, kept_shapes, strict=True) if axes and left == view.shapes[0]],
    )


def _sums_elsewhere(view: View, support: np.ndarray, own: list[tuple[int, ...]]) -> Iterator[Prediction]:
    """The weights of the forward add up to the same over its slices; those of the backward do over others."""
    if (
        view.A is None
        or view.offset.any()
        or np.any(np.abs(view.A[~support]) > view.zero)
        or constant(view) is not None
    ):
        return
    if np.mean(np.abs(view.A[support]) > view.zero) < 0.9:
        return  # slices that received nothing are another matter
    true, seen = view.J.sum(axis=0).reshape(view.x.shape), view.A.sum(axis=0).reshape(view.x.shape)
    close = max(1e-7, view.slack)
    for axes in own:
        sums, wrong = true.sum(axis=axes), seen.sum(axis=axes)
        level = float(np.mean(sums))
        even = np.abs(sums - level).max() <= close * abs(level)
        # weights that differ, so that the sum says something, and sums over the slices that are not right
        if not even or not level or np.ptp(true) < 1e-2 * abs(level) or np.abs(wrong - level).max() < 1e-3 * abs(level):
            continue
        for count in range(1, view.x.ndim + 1):
            for other in combinations(range(view.x.ndim), count):
                if other == axes or any(view.x.shape[axis] < 2 for axis in other):
                    continue
                if np.abs(seen.sum(axis=other) - level).max() <= close * abs(level):
                    text = f"the weights add up to {level:.6g} over {_names(other)}, not {_names(axes)}"
                    remedy = "normalise over the slices of the forward"
                    yield Prediction(text, remedy, explained=0.0, rank=14)
                    return
