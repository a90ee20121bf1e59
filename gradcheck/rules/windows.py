"""Windows that move over the input: kernels, strides, padding."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View, kinds, switched


@rule("kernel-not-flipped", "axis", 12)
def kernel_not_flipped(view: View) -> Iterator[Prediction]:
    """The adjoint of a cross-correlation is written as another cross-correlation.

    How it comes about: the kernel must be turned round when the gradient is gathered; it need not be when it is
    scattered.

    Formula: a = corr(g, w) where the truth is conv(g, w).

    Hidden when: the kernel is symmetric, has one entry, or only means and sums are compared.

    Mended: ``np.convolve(g, w, "full")``, or scatter ``dx[i : i + k] += g[i] * w``.

    Wrong::

        dx = np.correlate(g, w, "full")

    Right::

        dx = np.convolve(g, w, "full")
    """
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name == view.name or array.dtype.kind != "f" or array.ndim == 0 or view.M < 2:
            continue
        choices = [axes for size in range(1, array.ndim + 1) for axes in combinations(range(array.ndim), size)]
        for axes in choices if array.ndim <= 4 else []:
            if all(array.shape[axis] < 2 for axis in axes):
                continue
            matrix = view.measure({name: np.flip(array, axes).copy()})
            if matrix is not None and matrix.shape == view.J.shape:
                if view.account is not None and switched(view.J, matrix, 100 * view.zero):
                    continue  # it decides branches, and nothing is multiplied with it
                trailing = axes == tuple(range(array.ndim - len(axes), array.ndim))
                yield Prediction(
                    f"the gradient is that for {name} turned round along the axes {', '.join(map(str, axes))}",
                    f"turn {name} round where the upstream is gathered, or scatter without turning",
                    jacobian=matrix,
                    rank=0 if trailing else 2,
                    usual=trailing and len(view.shapes) == 1 and partial_windows(view),
                )


def partial_windows(view: View) -> bool:
    """Whether every output entry sees a part of the input only, and some input entries are seen several times."""
    linked = (np.abs(view.J) > view.zero).astype(np.float64)
    if view.M < 2 or not linked.any():
        return False
    shared = linked @ linked.T
    own = np.diag(shared)
    # two windows that share some of their entries, and not all
    return bool(np.any((shared > 0) & (shared < np.minimum(own[:, None], own[None, :]))))


def leading(view: View, options: dict[str, Plain], *, whole: bool = True) -> Floats | None:
    """Measure with other options and keep the output entries with the case's indices.

    Parameters
    ----------
    options
        What is changed.
    whole
        Whether the other output must hold all indices of the case's; where it need not, missing ones get zeros.
    """
    outputs = view.truth.forward({}, options)
    if outputs is None or len(outputs) != len(view.shapes):
        return None
    matrix = view.measure({}, options)
    if matrix is None or matrix.shape[1] != view.N:
        return None
    kept: Floats = np.zeros_like(view.J)
    start = 0
    for section, shape, part in zip(view.sections, view.shapes, outputs, strict=True):
        other = np.shape(part)
        if len(other) != len(shape) or (whole and any(a < b for a, b in zip(other, shape, strict=True))):
            return None
        common = tuple(slice(0, min(pair)) for pair in zip(other, shape, strict=True))
        here = np.arange(int(np.prod(shape))).reshape(shape)[common].ravel()
        there = np.arange(int(np.prod(other))).reshape(other)[common].ravel()
        kept[section.start + here] = matrix[start + there]
        start += int(np.prod(other))
    return kept


def _steps(view: View) -> Iterator[tuple[str, Plain, Plain]]:
    """Yield options that are whole numbers above 1 (or lists of such), with the same made of ones."""
    for option, value in view.truth.options.items():
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            yield option, value, 1
        elif isinstance(value, (list, tuple)) and value and all(isinstance(v, int) and v >= 1 for v in value):
            yield option, list(value), [1] * len(value)


@rule("stride-ignored", "axis", 11)
def stride_ignored(view: View) -> Iterator[Prediction]:
    """Positions in the input are computed as if the stride (or dilation) were 1.

    How it comes about: the backward loops over ``dx[i : i + k]`` where it should be
    ``dx[i * stride : i * stride + k]``.

    Formula: a has support in the first rows only; it is right for stride 1.

    Hidden when: the stride is 1, or there is one output position.

    Mended: multiply the position with the stride.

    Wrong::

        dx[i : i + k] += g[i] * w

    Right::

        dx[i * stride : i * stride + k] += g[i] * w
    """
    remedy = "multiply the position of the window with the stride, as the forward does"
    for option, value, one in _steps(view):
        matrix = leading(view, {option: one}) if value != one else view.J
        if matrix is not None and (value != one or partial_windows(view)):
            text = f"the backward worked with {option} = 1, not {value}"
            bigger = view.truth.forward({}, {option: one})
            grows = bigger is not None and np.size(bigger[0]) > np.size(view.truth.outputs[0])
            usual = grows or (value == one and "stride" in option)
            yield Prediction(text, remedy, jacobian=matrix, rank=0 if grows else 3, usual=usual)
    if len(view.shapes) != 1 or len(view.shapes[0]) == 0 or view.x.ndim == 0:
        return
    for out_axis in range(len(view.shapes[0])):
        for axis in range(view.x.ndim):
            for moved in _at_stride_one(view, out_axis, axis):
                yield Prediction("the windows were placed one step apart", remedy, jacobian=moved, rank=1)


def _at_stride_one(view: View, out_axis: int, axis: int) -> Iterator[Floats]:
    """Move the support of every output entry to where it would be with a stride of 1 along an axis."""
    index = np.unravel_index(np.arange(view.M), view.shapes[0])[out_axis]
    count = int(index.max()) + 1
    if count < 2:
        return
    linked = np.abs(view.J) > view.zero
    place = np.unravel_index(np.arange(view.N), view.x.shape)[axis]
    starts = np.where(linked, place[None, :], view.N).min(axis=1)
    strides = {round(view.x.shape[axis] / count)}
    strides |= {value for value in view.truth.options.values() if type(value) is int}
    for stride in sorted(strides):
        if stride < 2 or np.any(starts < index * stride) or np.any(starts >= view.x.shape[axis]):
            continue
        rows = [
            shifted(row.reshape(view.x.shape), axis, -int((stride - 1) * i)).ravel()
            for row, i in zip(view.J, index, strict=True)
        ]
        yield np.stack(rows)


def shifted(array: Floats, axis: int, by: int) -> Floats:
    """Shift an array along an axis, zeros moving in."""
    moved = np.zeros_like(array)
    size = array.shape[axis]
    if abs(by) < size:
        source = [slice(None)] * array.ndim
        target = [slice(None)] * array.ndim
        source[axis] = slice(max(0, -by), size - max(0, by))
        target[axis] = slice(max(0, by), size + min(0, by))
        moved[tuple(target)] = array[tuple(source)]
    return moved


@rule("padding-offset-wrong", "axis", 13)
def padding_offset(view: View) -> Iterator[Prediction]:
    """The padded gradient is cropped from index 0 instead of from the padding.

    How it comes about: ``dxp[:n]`` for ``dxp[pad : pad + n]``.

    Formula: a[i] = t[i - pad].

    Hidden when: there is no padding; on one side only where padding is one-sided.

    Mended: crop as many entries from the front as the forward padded.

    Wrong::

        return dxp[:, : x.shape[1]]

    Right::

        return dxp[:, pad : pad + x.shape[1]]
    """
    remedy = "crop the padded gradient from the padding, not from 0"
    for option, value in view.truth.options.items():
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 16:
            continue
        for axes in [
            axes for size in range(1, min(3, view.x.ndim) + 1) for axes in combinations(range(view.x.ndim), size)
        ]:
            matrix = _padded(view, option, value, axes)
            if matrix is not None:
                for place in ("start", "end"):
                    yield Prediction(
                        f"the padded gradient was cropped from the {place}, not from {option} = {value}",
                        remedy,
                        jacobian=_crop(view, matrix, value, axes, place),
                        usual=place == "start",
                    )
    if view.A is None or view.M < 2:
        return
    for axis in range(view.x.ndim):
        for by in (1, -1, 2, -2, 3, -3):
            if abs(by) >= view.x.shape[axis]:
                continue
            moved = np.stack([shifted(row.reshape(view.x.shape), axis, by).ravel() for row in view.J])
            text = f"the gradient is shifted by {by} along axis {axis}"
            yield Prediction(text, remedy, jacobian=moved, rank=4)
    yield from _bordered(view, remedy)


def _bordered(view: View, remedy: str) -> Iterator[Prediction]:
    """Yield shifts along some axes that leave a border: what moved in there is what fell into the padding."""
    if view.A is None or view.offset.any() or not np.all(np.isfinite(view.A)) or view.x.ndim > 4:
        return
    key = np.random.default_rng(view.N).standard_normal(view.M)
    true, seen = key @ view.J, key @ view.A
    close = max(1e-3 * view.tolerance, view.slack) * float(np.abs(true).max(initial=0.0))
    for many in range(1, view.x.ndim + 1):
        for axes in combinations(range(view.x.ndim), many):
            shortest = min(view.x.shape[axis] for axis in axes)
            for by in (sign * step for step in range(1, shortest) for sign in (1, -1)):
                into, source = _overlap(view.x.shape, axes, by)
                # different columns, so that it matters which is which, and a good part of them all
                moved = np.abs(true[into] - true[source]) > 100 * close
                enough = moved.sum() >= max(4, 0.2 * view.N) and kinds(true[source], 100 * close) >= 4
                if not enough or np.abs(seen[into] - true[source]).max() > close:
                    continue
                off = distance(view.A[:, into], view.J[:, source])
                text = f"the gradient is shifted by {by} along {' and '.join(f'axis {axis}' for axis in axes)}"
                facts: dict[str, Plain] = {"entries": len(into), "border": view.N - len(into)}
                yield Prediction(f"{text}, but for a border", remedy, explained=off, rank=10, evidence=facts)


def _overlap(shape: tuple[int, ...], axes: tuple[int, ...], by: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which entries of an array a shift fills, and from where."""
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    later = tuple(slice(abs(by), None) if axis in axes else slice(None) for axis in range(len(shape)))
    earlier = tuple(slice(None, -abs(by)) if axis in axes else slice(None) for axis in range(len(shape)))
    pair = numbers[later].ravel(), numbers[earlier].ravel()
    return pair if by > 0 else pair[::-1]


def _padded(view: View, option: str, value: int, axes: tuple[int, ...]) -> Floats | None:
    """Pad the input by hand, without the option; the whole Jacobian if the output is the same."""
    width = [(value, value) if axis in axes else (0, 0) for axis in range(view.x.ndim)]
    wide = np.pad(view.x, width)
    outputs = view.truth.forward({view.name: wide}, {option: 0})
    if outputs is None or len(outputs) != 1 or np.shape(outputs[0]) != view.shapes[0]:
        return None
    if not np.allclose(np.ravel(outputs[0]), view.y, rtol=view.grain, atol=1e-12) or (
        value == 0 and "pad" not in option
    ):
        return None
    matrix = view.measure({view.name: wide}, {option: 0})
    return matrix if matrix is not None and matrix.shape == (view.M, wide.size) else None


def _crop(view: View, matrix: Floats, value: int, axes: tuple[int, ...], place: str) -> Floats:
    wide = tuple(size + (2 * value if axis in axes else 0) for axis, size in enumerate(view.x.shape))
    start = 0 if place == "start" else 2 * value
    window = [slice(start, start + size) if axis in axes else slice(None) for axis, size in enumerate(view.x.shape)]
    return np.stack([row.reshape(wide)[tuple(window)].ravel() for row in matrix])
