"""Windows that move over the input: kernels and strides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View, switched


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
            if view.account is not None and (scattered := _scattered_at_one(view, out_axis, axis)) is not None:
                text = "the windows that the forward scatters into were read one step apart"
                yield Prediction(text, remedy, jacobian=scattered, rank=2)


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


def _scattered_at_one(view: View, out_axis: int, axis: int) -> Floats | None:
    """Move what every input entry reaches to where a stride of 1 would put it: for layers that scatter windows."""
    index = np.unravel_index(np.arange(view.N), view.x.shape)[axis]
    count, linked = int(index.max()) + 1, np.abs(view.J) > view.zero
    place = np.unravel_index(np.arange(view.M), view.shapes[0])[out_axis]
    starts = np.where(linked, place[:, None], view.M).min(axis=0)
    if count < 2 or not np.all(linked.any(axis=0)):
        return None
    stride = int(starts[index == 1].min() - starts[index == 0].min())
    if stride < 2 or np.any(starts - stride * index != starts[0]):
        return None
    columns = [
        shifted(column.reshape(view.shapes[0]), out_axis, -int((stride - 1) * i)).ravel()
        for column, i in zip(view.J.T, index, strict=True)
    ]
    return np.stack(columns, axis=1)


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
