"""Scaled dot-product attention."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gradcheck.reference.arrays import Array, sum_to_shape, to_common, to_floating, to_result, to_upstream
from gradcheck.reference.softmax import softmax, softmax_backward


def attention(
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    mask: npt.ArrayLike | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> Array:
    """Return ``softmax(scale Q K^T) V``, the softmax being taken over the keys.

    A. Vaswani et al., "Attention is all you need", arXiv:1706.03762, equation 1.

    Parameters
    ----------
    query
        ``(..., L, E)``: L positions that ask.
    key
        ``(..., S, E)``: S positions that are asked.
    value
        ``(..., S, V)``. The leading axes of the three are broadcast against each other.
    mask
        What broadcasts to ``(..., L, S)``: non-zero where a query may look at a key. A query that may look at none
        gets zeros.
    causal
        Whether query i may look at the keys 0 to i only.
    scale
        By default ``1 / sqrt(E)``.

    Returns
    -------
    Array
        ``(..., L, V)``, the widest dtype of the three.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    query, key, value = to_common(query, key, value)
    scale = _find_scale(query, key, value, scale)
    allowed = _find_allowed(query, key, mask, causal)
    return to_result(_weigh(_score(query, key, scale, allowed), allowed) @ value, query.dtype)


def attention_backward(
    upstream: npt.ArrayLike,
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    mask: npt.ArrayLike | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> tuple[Array, Array, Array]:
    """Return the gradients of :func:`attention`.

    With ``P`` the softmax of the scores and ``D`` its backward applied to ``G V^T``: ``dV = P^T G``,
    ``dQ = scale D K`` and ``dK = scale D^T Q`` (T. Dao et al., "FlashAttention", arXiv:2205.14135, appendix B.2).

    Parameters
    ----------
    upstream
        ``(..., L, V)``.
    query, key, value, mask, causal, scale
        As in the forward.

    Returns
    -------
    tuple of Array
        Gradients of `query`, `key` and `value`, each in the shape and dtype of its input.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of the output.
    """
    dtypes = [to_floating(array).dtype for array in (query, key, value)]
    query, key, value = to_common(query, key, value)
    scale = _find_scale(query, key, value, scale)
    allowed = _find_allowed(query, key, mask, causal)
    scores = _score(query, key, scale, allowed)
    weights = _weigh(scores, allowed)
    upstream = to_upstream(upstream, (weights @ value).shape, query.dtype)
    # the values may have leading axes that the scores lack: one softmax then serves several outputs
    dweights = sum_to_shape(_keep_allowed(upstream @ _transpose(value), allowed), scores.shape)
    dscores = scale * _keep_allowed(softmax_backward(dweights, scores), allowed)
    dquery = sum_to_shape(to_result(dscores @ key, query.dtype), query.shape)
    dkey = sum_to_shape(to_result(_transpose(dscores) @ query, key.dtype), key.shape)
    dvalue = sum_to_shape(to_result(_transpose(weights) @ upstream, value.dtype), value.shape)
    return to_result(dquery, dtypes[0]), to_result(dkey, dtypes[1]), to_result(dvalue, dtypes[2])


def _find_scale(query: Array, key: Array, value: Array, scale: float | None) -> float:
    """Return the scale, having looked at the shapes."""
    shapes = query.shape, key.shape, value.shape
    if min(map(len, shapes)) < 2 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"query {shapes[0]}, key {shapes[1]} and value {shapes[2]} do not fit: "
            "they are (..., L, E), (..., S, E) and (..., S, V)"
        )
    return 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale


def _find_allowed(query: Array, key: Array, mask: npt.ArrayLike | None, causal: bool) -> npt.NDArray[np.bool_] | None:
    """Return which query may look at which key, or None if all may look at all."""
    allowed = None if mask is None else np.asarray(mask).astype(bool)
    if causal:
        past = np.tri(query.shape[-2], key.shape[-2], dtype=bool)
        allowed = past if allowed is None else allowed & past
    return allowed


def _score(query: Array, key: Array, scale: float, allowed: npt.NDArray[np.bool_] | None) -> Array:
    """Return the scaled products; where looking is not allowed, the lowest number (``-inf`` would make nan)."""
    scores = to_result(scale * (query @ _transpose(key)), query.dtype)
    if allowed is None:
        return scores
    lowest = np.finfo(query.real.dtype).min
    return to_result(np.where(allowed, scores, lowest), query.dtype)


def _weigh(scores: Array, allowed: npt.NDArray[np.bool_] | None) -> Array:
    return _keep_allowed(softmax(scores), allowed)


def _keep_allowed(entries: Array, allowed: npt.NDArray[np.bool_] | None) -> Array:
    return entries if allowed is None else to_result(np.where(allowed, entries, 0), entries.dtype)


def _transpose(matrices: Array) -> Array:
    return np.swapaxes(matrices, -1, -2)
