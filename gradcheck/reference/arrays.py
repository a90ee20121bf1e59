"""What the layers share: their arrays, how an upstream is checked, and how losses are reduced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.inexact[Any]]
DType: TypeAlias = np.dtype[np.inexact[Any]]
Reduction: TypeAlias = Literal["none", "sum", "mean"]


def to_floating(x: npt.ArrayLike) -> Array:
    """Return `x` as an array of a floating or complex dtype, any shape; integers and booleans become float64.

    Complex arrays pass, so that a layer without a special function can be differentiated by a complex step.
    """
    array = np.asarray(x)
    return array if np.issubdtype(array.dtype, np.inexact) else array.astype(np.float64)


def to_common(*arrays: npt.ArrayLike) -> tuple[Array, ...]:
    """Return `arrays` as arrays of the one floating dtype that holds them all."""
    floating = [to_floating(array) for array in arrays]
    dtype = np.result_type(*floating)
    return tuple(array.astype(dtype, copy=False) for array in floating)


def to_upstream(upstream: npt.ArrayLike, shape: tuple[int, ...], dtype: DType) -> Array:
    """Return `upstream` in `dtype`.

    Raises
    ------
    ValueError
        If it does not have the `shape` of the output; broadcasting it would give a gradient of some other function.
    """
    array = np.asarray(upstream, dtype=dtype)
    if array.shape != shape:
        raise ValueError(f"upstream has the shape {array.shape}, but the output has {shape}")
    return array


def to_result(value: npt.ArrayLike, dtype: DType) -> Array:
    """Return `value` as an array of `dtype`: NumPy makes scalars of 0-d arrays, and before 2.0 widens them."""
    return np.asarray(value, dtype=dtype)


def to_axes(axis: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    """Return one axis or several, counted from the front, in order.

    Raises
    ------
    ValueError
        If an axis is out of range (``numpy.exceptions.AxisError``) or named twice.
    """
    wanted = (axis,) if isinstance(axis, int) else tuple(axis)
    for one in wanted:
        if not -ndim <= one < ndim:
            raise ValueError(f"axis {one} is out of range for an array of {ndim} dimensions")
    axes = tuple(sorted(one % ndim for one in wanted))
    if len(set(axes)) != len(axes):
        raise ValueError(f"axis {list(wanted)} names the same axis twice")
    return axes


def average(x: Array, axes: tuple[int, ...]) -> Array:
    """Return the mean of `x` over `axes`, which are kept with length 1; that of nothing is 0."""
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    return to_result(np.sum(x, axis=axes, keepdims=True) / max(count, 1), x.dtype)


def sum_to_shape(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Return `gradient` summed over the axes along which an array of `shape` was broadcast."""
    extra = gradient.ndim - len(shape)
    stretched = [extra + k for k, size in enumerate(shape) if size == 1 and gradient.shape[extra + k] != 1]
    return to_result(np.sum(gradient, axis=(*range(extra), *stretched)).reshape(shape), gradient.dtype)


def reduce_losses(losses: Array, reduction: Reduction, divisor: float | None = None) -> Array:
    """Return `losses` as they are, their sum, or their sum over `divisor` (by default their number; 0-d).

    The mean of no losses at all is nan.

    Raises
    ------
    ValueError
        If `reduction` is none of the three.
    """
    if reduction == "none":
        return losses
    total = np.sum(losses)
    if reduction == "sum":
        return to_result(total, losses.dtype)
    if reduction == "mean":
        with np.errstate(invalid="ignore"):  # 0 / 0 is the nan that is promised
            return to_result(np.divide(total, losses.size if divisor is None else divisor), losses.dtype)
    raise ValueError(f"reduction is 'none', 'sum' or 'mean', not {reduction!r}")


def spread_upstream(
    upstream: npt.ArrayLike, shape: tuple[int, ...], dtype: DType, reduction: Reduction, divisor: float | None = None
) -> Array:
    """Return the gradient with respect to the losses, of `shape`: the backward of :func:`reduce_losses`.

    Raises
    ------
    ValueError
        If `reduction` is none of the three, or `upstream` does not have the shape of what it leaves.
    """
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"reduction is 'none', 'sum' or 'mean', not {reduction!r}")
    given = to_upstream(upstream, shape if reduction == "none" else (), dtype)
    if reduction != "mean":
        return np.broadcast_to(given, shape)
    size = int(np.prod(shape, dtype=np.int64))
    if size == 0:
        return np.zeros(shape, dtype=dtype)
    return np.broadcast_to(to_result(given / (size if divisor is None else divisor), dtype), shape)
