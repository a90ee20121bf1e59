"""Backwards that return the Jacobian itself: multiplied by the upstream, whatever layout it has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.layers.gradients import Order, match
from gradcheck.layers.outputs import describe_value
from gradcheck.layers.protocol import Array, Gradients, Inputs, Mismatch

WRONG_SHAPE, TRANSPOSED = "wrong-shape", "transposed-jacobian"


def read_jacobians(
    returned: object, order: Order, values: Inputs, upstream: Sequence[Array], axis: int | None = None
) -> Gradients:
    """Turn Jacobians into vector-Jacobian products ``J^T g``.

    Parameters
    ----------
    returned
        One Jacobian, or one per input by position or key; with several outputs a sequence of those, one per output.
    order, values
        As for :func:`gradcheck.layers.gradients.match`.
    upstream
        One array per output.
    axis
        Axis of the slices of a batched Jacobian; the last one by default.
    """
    if len(upstream) == 1:
        return _read_one(returned, order, values, upstream[0], axis)
    if not isinstance(returned, tuple | list) or len(returned) != len(upstream):
        message = (
            f"the backward returned {describe_value(returned)} instead of {len(upstream)} Jacobians, one per output"
        )
        return Gradients({}, [Mismatch("wrong-number-of-gradients", message)])
    total = Gradients({})
    for part, g in zip(returned, upstream, strict=True):
        found = _read_one(part, order, values, g, axis)
        total.mismatches += found.mismatches
        for name, product in found.by_input.items():
            total.by_input[name] = np.add(total.by_input[name], product) if name in total.by_input else product
    return total


def multiply(jacobian: Array, g: Array, shape: tuple[int, ...], axis: int | None = None) -> Array | None:
    """Return ``J^T g`` for a Jacobian in any of the usual layouts, or ``None`` if it fits none.

    Parameters
    ----------
    jacobian
        ``g.shape + shape``; ``(g.size, size)``; one block ``(m, k)`` per slice, with the batch in front; or one block
        for all slices.
    g
        The upstream.
    shape
        The shape of the input, and of the result.
    axis
        Along which slices run; the last axis by default.
    """
    size = int(np.prod(shape, dtype=np.int64))
    whole = jacobian.shape in (g.shape + shape, (g.size, size))
    if whole or (g.size == 1 and jacobian.size == size and jacobian.ndim <= 2):
        return np.asarray(np.matmul(g.reshape(-1), jacobian.reshape(g.size, size))).reshape(shape)
    if not shape or not g.ndim:
        return None
    for along in dict.fromkeys((axis if axis is not None else -1, -1)):
        product = _multiply_slices(jacobian, g, shape, along)
        if product is not None:
            return product
    return None


def _multiply_slices(jacobian: Array, g: Array, shape: tuple[int, ...], axis: int) -> Array | None:
    if len(shape) != g.ndim or not -g.ndim <= axis < g.ndim:
        return None
    rows = np.moveaxis(g, axis, -1)
    batch = rows.shape[:-1]
    length = shape[axis]
    if tuple(np.delete(shape, axis)) != batch:
        return None
    flat = (int(np.prod(batch, dtype=np.int64)),)
    block = (rows.shape[-1], length)
    if jacobian.shape in (batch + block, flat + block):
        product = np.matmul(rows[..., None, :], jacobian.reshape(batch + block))[..., 0, :]
    elif jacobian.shape == block:
        product = np.matmul(rows, jacobian)
    else:
        return None
    return np.asarray(np.moveaxis(product, -1, axis))


def _read_one(returned: object, order: Order, values: Inputs, g: Array, axis: int | None) -> Gradients:
    if isinstance(returned, list) and len(order.wrt) == 1:
        returned = _as_nested_numbers(returned)
    found = match(returned, order, values)
    for name, jacobian in list(found.by_input.items()):
        shape = np.shape(values[name])
        product = multiply(jacobian, np.asarray(g), shape, axis)
        if product is None:
            del found.by_input[name]
            message = (
                f"the backward returned an array of shape {jacobian.shape} as the Jacobian of an output {np.shape(g)} "
                f"with respect to {name} {shape}"
            )
            rule, remedy = WRONG_SHAPE, f"return it in the shape {np.shape(g) + shape}"
            if jacobian.ndim == 2 and jacobian.shape == (int(np.prod(shape, dtype=np.int64)), np.size(g)):
                rule, remedy = TRANSPOSED, "return its transpose: a row per output, a column per input"
            found.mismatches.append(Mismatch(rule, message, name, remedy))
        else:
            found.by_input[name] = product
    return found


def _as_nested_numbers(items: list[object]) -> object:
    """Return a Jacobian written as nested lists as an array; a list of arrays stays what it is."""
    if items and all(isinstance(item, list) for item in items):
        try:
            return np.asarray(items)
        except ValueError:
            return items
    return items
