"""Masks and saturation: entries that the forward does not let through."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Array
from gradcheck.rules.view import View

Mask = np.ndarray


def dead(view: View) -> Mask:
    """Return which input entries no output depends on: shape ``(N,)``."""
    return np.asarray(np.abs(view.J).max(axis=0, initial=0.0) <= view.zero)


def wrong_columns(view: View) -> Mask | None:
    """Return which input entries have a wrong column in what the backward implies; ``None`` where that is unknown."""
    if view.A is None or not np.all(np.isfinite(view.A)):
        return None
    scale = np.abs(view.J).max(initial=0.0) + np.abs(view.A).max(initial=0.0)
    return np.asarray(np.abs(view.A - view.J).max(axis=0, initial=0.0) > max(100 * view.zero, 0.1 * view.slack * scale))


def leaking(view: View) -> Mask | None:
    """Return the entries that are wrong if those are entries that nothing depends on; ``None`` if others are wrong."""
    bad = wrong_columns(view)
    if bad is None or view.offset.any() or not bad.any() or np.any(bad & ~dead(view)):
        return None
    return bad


def _spread(array: Array, shape: tuple[int, ...]) -> Array | None:
    """Spread an array over a shape as NumPy does, or along its leading axes."""
    if array.ndim < len(shape) and array.shape == shape[: array.ndim] and array.ndim:
        array = array.reshape(array.shape + (1,) * (len(shape) - array.ndim))
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        return None


def _masks(view: View) -> Iterator[tuple[str, Array]]:
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name != view.name and array.size and array.dtype.kind in "biuf" and set(np.unique(array)) <= {0, 1}:
            yield name, array


@rule("mask-not-applied-in-backward", "masks", 9)
def mask_not_applied(view: View) -> Iterator[Prediction]:
    """A mask of the forward (dropout, attention, lengths) is missing in the backward.

    How it comes about: the backward repeats the scale of the forward and forgets its mask.

    Formula: a is the gradient for a mask of ones: entries that the forward ignores receive a gradient.

    Hidden when: nothing is masked.

    Mended: multiply with the same mask.

    Wrong::

        return g / (1 - p)

    Right::

        return g * mask / (1 - p)
    """
    remedy = "apply the mask of the forward to the gradient as well"
    for name, array in _masks(view):
        matrix = view.measure({name: np.ones_like(array)})
        if matrix is not None and matrix.shape == view.J.shape:
            fits = _spread(array, view.x.shape)
            masks = fits is not None and bool(np.all(dead(view)[np.ravel(fits == 0)]))
            text = f"the gradient is that for a {name} of ones"
            yield Prediction(text, remedy, jacobian=matrix, usual=masks)
    for option, value in view.truth.options.items():
        if isinstance(value, bool) and value:
            matrix = view.measure(options={option: False})
            if matrix is None or matrix.shape != view.J.shape:
                continue
            if np.any((np.abs(matrix) > view.zero) & (np.abs(view.J) <= view.zero)):
                yield Prediction(f"the gradient is that without {option}", remedy, jacobian=matrix, usual=True)
    yield from _drawn(view)
    bad = leaking(view)
    if bad is None:
        return
    padding = _padding_rows(view)
    if not np.any(bad & ~padding):
        text = "rows that only stand for padding received a gradient"
        yield Prediction(text, remedy, explained=0.0, evidence={"entries": int(bad.sum())})
    for name, given in view.truth.inputs.items():
        array = np.asarray(given)
        if name == view.name or array.dtype.kind not in "biuf":
            continue
        closed = _closed(view, array)
        if (
            closed is not None
            and closed.any()
            and np.array_equal(closed & dead(view), dead(view))
            and not bad[~closed].any()
        ):
            text = f"{int(bad.sum())} entries that {name} masks out received a gradient"
            yield Prediction(text, remedy, explained=0.0, evidence={"entries": int(bad.sum())})


def _drawn(view: View) -> Iterator[Prediction]:
    """Predict a gradient without the mask that the forward draws itself, which is no input."""
    closed = dead(view)
    if view.account is None or "nondeterministic-forward" not in view.account.contract or not closed.any():
        return
    remedy = "keep the mask that the forward draws, and multiply the gradient with it as well"
    message = f"{int(closed.sum())} entries that the forward's random mask closes received a gradient"
    evidence: dict[str, Plain] = {"entries": int(closed.sum())}
    slopes = view.diagonal[~closed] if view.elementwise else np.zeros(0)
    if slopes.size and np.ptp(slopes) <= 1e-6 * float(np.abs(slopes).max()):
        for slope in (1.0, float(slopes[0])):
            yield Prediction(message, remedy, jacobian=np.eye(view.N) * slope, evidence=evidence)
    elif leaking(view) is not None:
        yield Prediction(message, remedy, explained=0.0, evidence=evidence)


def _padding_rows(view: View) -> Mask:
    """Return the entries of rows of x that only an index equal to an option picks, where nothing depends on them."""
    rows = np.zeros(view.N, dtype=bool)
    if view.x.ndim == 0:
        return rows
    place = np.unravel_index(np.arange(view.N), view.x.shape)[0]
    for value in view.truth.options.values():
        picked = any(
            np.asarray(other).dtype.kind in "iu" and np.any(np.asarray(other) == value)
            for name, other in view.truth.inputs.items()
            if name != view.name
        )
        if isinstance(value, int) and not isinstance(value, bool) and picked:
            rows |= place == value % view.x.shape[0]
    padding: Mask = rows & dead(view)
    return padding


def _closed(view: View, array: Array) -> Mask | None:
    """Return which input entries a mask of zeros, or an array of lengths, closes."""
    if set(np.unique(array)) <= {0, 1}:
        fits = _spread(array, view.x.shape)
        return None if fits is None else np.ravel(fits == 0)
    if array.dtype.kind in "iu" and view.x.ndim > array.ndim >= 1 and array.shape == view.x.shape[: array.ndim]:
        axis = array.ndim
        position = np.arange(view.x.shape[axis]).reshape((-1,) + (1,) * (view.x.ndim - axis - 1))
        lengths = array.reshape(array.shape + (1,) * (view.x.ndim - axis))
        return np.ravel(np.broadcast_to(position >= lengths, view.x.shape))
    return None


@rule("mask-fill-value-leaks", "masks", 8)
def fill_value_leaks(view: View) -> Iterator[Prediction]:
    """Masked entries of the gradient are set to the fill value of the forward instead of zero.

    How it comes about: the backward reuses ``np.where(mask, g, value)``.

    Formula: a = m g + v (1 - m): it does not vanish for an upstream of zeros.

    Hidden when: the fill value is 0.

    Mended: fill the gradient with zeros.

    Wrong::

        return np.where(keep, g, value)

    Right::

        return np.where(keep, g, 0.0)
    """
    closed = dead(view)
    remedy = "fill masked entries of the gradient with 0"
    for option, value in view.truth.options.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool) and (closed.any() or view.account is None):
            yield Prediction(
                f"masked entries of the gradient are filled with {option} = {value:g}",
                remedy,
                jacobian=view.J,
                offset=np.where(closed, float(value), 0.0),
                usual=_fills(view, float(value)),
            )
    if view.offset.any() and closed.any() and not view.offset[~closed].any():
        filled = view.offset[view.offset != 0]
        if np.ptp(filled) == 0:
            yield Prediction(
                f"masked entries of the gradient are filled with {filled[0]:g}",
                remedy,
                jacobian=view.J,
                offset=view.offset,
                rank=1,
                free=1,
            )


def _fills(view: View, value: float) -> bool:
    """Whether the outputs that do not depend on the input all have a value."""
    fixed = np.abs(view.J).max(axis=1, initial=0.0) <= view.zero
    return bool(fixed.any() and np.all(view.y[fixed] == value))


@rule("saturation-mask-missing", "masks", 10)
def saturation(view: View) -> Iterator[Prediction]:
    """The upstream passes through where the function is flat: clip, hard tanh, ReLU6.

    How it comes about: clipping is thought of as harmless and left out of the backward.

    Formula: a = g where J has rows of zeros.

    Hidden when: all inputs are inside the range.

    Mended: multiply with 1[low < x < high].

    Wrong::

        return g                                      # forward: np.clip(x, -1, 1)

    Right::

        return g * ((x > -1) & (x < 1))
    """
    if not view.elementwise:
        return
    flat = dead(view)
    slopes = view.diagonal[~flat]
    if not slopes.size or not flat.any():
        return
    message = "the upstream passes through {} entries where the function is flat"
    remedy = "set the gradient to 0 where the function is flat"
    middle = float(np.median(slopes))
    values = np.unique(np.round(view.y[flat], 12))
    if len(values) > 2:
        return
    matrix = np.diag(np.where(flat, middle, view.diagonal))
    yield Prediction(message.format(int(flat.sum())), remedy, jacobian=matrix, usual=True)
    for value in values:
        some = flat & np.isclose(view.y, value)
        if some.sum() < flat.sum():
            matrix = np.diag(np.where(some, middle, view.diagonal))
            yield Prediction(message.format(int(some.sum())), remedy, jacobian=matrix, rank=1)
    bad = leaking(view)
    if bad is not None and view.A is not None and not np.any(view.A - np.diag(np.diag(view.A))):
        yield Prediction(message.format(int(bad.sum())), remedy, explained=0.0, rank=6)
