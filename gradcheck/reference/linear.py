"""The linear (dense, fully connected) layer."""

from __future__ import annotations

import math

import numpy.typing as npt

from gradcheck.reference.arrays import Array, to_common, to_floating, to_result, to_upstream


def linear(x: npt.ArrayLike, weight: npt.ArrayLike, bias: npt.ArrayLike) -> Array:
    """Return ``x W + b`` for every row of x.

    I. Goodfellow, Y. Bengio and A. Courville, "Deep Learning", 2016, section 6.1 (there for a column, ``W^T x + b``).

    Parameters
    ----------
    x
        ``(..., K)``: one row or any number of them.
    weight
        ``(K, M)``.
    bias
        ``(M,)``.

    Returns
    -------
    Array
        ``(..., M)``, the widest dtype of the three.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    x, weight, bias = to_common(x, weight, bias)
    _require_fit(x, weight, bias)
    return to_result(x @ weight + bias, x.dtype)


def linear_backward(
    upstream: npt.ArrayLike, x: npt.ArrayLike, weight: npt.ArrayLike, bias: npt.ArrayLike
) -> tuple[Array, Array, Array]:
    """Return the gradients of :func:`linear`: ``dx = g W^T``, ``dW = sum x^T g`` and ``db = sum g`` over the rows.

    "Deep Learning", section 6.5.6 (the matrix product's).

    Parameters
    ----------
    upstream
        ``(..., M)``.
    x, weight, bias
        As in the forward.

    Returns
    -------
    tuple of Array
        Gradients of `x`, `weight` and `bias`, each in the shape and dtype of its input.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of the output.
    """
    dtypes = [to_floating(array).dtype for array in (x, weight, bias)]
    x, weight, bias = to_common(x, weight, bias)
    _require_fit(x, weight, bias)
    inner, outer = weight.shape
    upstream = to_upstream(upstream, (*x.shape[:-1], outer), x.dtype)
    count = math.prod(x.shape[:-1])
    rows, upstream_rows = x.reshape(count, inner), upstream.reshape(count, outer)
    dx, dweight, dbias = upstream @ weight.T, rows.T @ upstream_rows, upstream_rows.sum(axis=0)
    return to_result(dx, dtypes[0]), to_result(dweight, dtypes[1]), to_result(dbias, dtypes[2])


def _require_fit(x: Array, weight: Array, bias: Array) -> None:
    if x.ndim < 1 or weight.ndim != 2 or x.shape[-1] != weight.shape[0] or bias.shape != weight.shape[1:]:
        raise ValueError(
            f"x {x.shape}, weight {weight.shape} and bias {bias.shape} do not fit: they are (..., K), (K, M) and (M,)"
        )
