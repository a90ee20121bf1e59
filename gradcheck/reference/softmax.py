"""Softmax, log-softmax and logsumexp along an axis.

All three subtract the largest entry of a slice before exp: the functions are unchanged or shifted by it, and no exp
overflows (P. Blanchard, D. J. Higham and N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
IMA J. Numer. Anal. 41(4), 2021). A slice may hold ``-inf``; one that holds nothing else has the softmax nan.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gradcheck.reference.arrays import Array, to_floating, to_result, to_upstream


def softmax(x: npt.ArrayLike, axis: int = -1) -> Array:
    """Return ``s_i = exp(x_i) / sum_j exp(x_j)`` for every slice along `axis`.

    J. S. Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990;
    I. Goodfellow, Y. Bengio and A. Courville, "Deep Learning", 2016, equation 6.29.

    Parameters
    ----------
    x
        Logits, any shape.
    axis
        The axis that sums to 1.

    Returns
    -------
    Array
        The shape and dtype of `x`; 1 for a 0-d `x`.
    """
    x = to_floating(x)
    powers = np.exp(x - _peak(x, axis))
    return to_result(powers / np.sum(powers, axis=axis, keepdims=True), x.dtype)


def softmax_backward(upstream: npt.ArrayLike, x: npt.ArrayLike, axis: int = -1) -> Array:
    """Return the gradient of :func:`softmax`: ``s_i (g_i - sum_j g_j s_j)`` per slice.

    That is ``J^T g`` with ``J = diag(s) - s s^T`` (C. M. Bishop, "Pattern Recognition and Machine Learning", 2006,
    equation 4.106), without building J. The mean is taken off twice: what round-off leaves of it the first time is
    all there is in a saturated slice, whose gradient may be smaller than ``eps |g|`` by many orders.

    Parameters
    ----------
    upstream
        The shape of `x`.
    x
        Logits, any shape.
    axis
        As in the forward.

    Returns
    -------
    Array
        The shape and dtype of `x`.
    """
    x = to_floating(x)
    upstream = to_upstream(upstream, x.shape, x.dtype)
    s = softmax(x, axis)
    centred = upstream - np.sum(upstream * s, axis=axis, keepdims=True)
    return to_result(s * (centred - np.sum(centred * s, axis=axis, keepdims=True)), x.dtype)


def log_softmax(x: npt.ArrayLike, axis: int = -1) -> Array:
    """Return ``x_i - log sum_j exp(x_j)`` for every slice along `axis`.

    "Deep Learning", equation 6.30.

    Parameters
    ----------
    x
        Logits, any shape.
    axis
        The axis whose exponentials sum to 1.

    Returns
    -------
    Array
        The shape and dtype of `x`; 0 for a 0-d `x`.
    """
    x = to_floating(x)
    shifted = x - _peak(x, axis)
    return to_result(shifted - _log(np.sum(np.exp(shifted), axis=axis, keepdims=True)), x.dtype)


def log_softmax_backward(upstream: npt.ArrayLike, x: npt.ArrayLike, axis: int = -1) -> Array:
    """Return the gradient of :func:`log_softmax`: ``g_i - s_i sum_j g_j`` per slice, s being the softmax.

    From ``d log s_j / d x_i = [i = j] - s_i`` (Bishop, equation 4.106 divided by y).

    Parameters
    ----------
    upstream
        The shape of `x`.
    x
        Logits, any shape.
    axis
        As in the forward.

    Returns
    -------
    Array
        The shape and dtype of `x`.
    """
    x = to_floating(x)
    upstream = to_upstream(upstream, x.shape, x.dtype)
    return to_result(upstream - softmax(x, axis) * np.sum(upstream, axis=axis, keepdims=True), x.dtype)


def logsumexp(x: npt.ArrayLike, axis: int = -1, keepdims: bool = False) -> Array:
    """Return ``log sum_j exp(x_j)`` for every slice along `axis`.

    Blanchard, Higham and Higham (see above), section 1.

    Parameters
    ----------
    x
        Any shape.
    axis
        The axis that is summed over.
    keepdims
        Whether that axis stays, with length 1.

    Returns
    -------
    Array
        The shape of `x` without `axis`, its dtype. An empty slice gives ``-inf``.
    """
    x = to_floating(x)
    peak = _peak(x, axis)
    result = to_result(peak + _log(np.sum(np.exp(x - peak), axis=axis, keepdims=True)), x.dtype)
    return result if keepdims or x.ndim == 0 else np.squeeze(result, axis=axis)


def logsumexp_backward(upstream: npt.ArrayLike, x: npt.ArrayLike, axis: int = -1, keepdims: bool = False) -> Array:
    """Return the gradient of :func:`logsumexp`: ``g s_i``, s being the softmax of the slice.

    Blanchard, Higham and Higham (see above), section 1: the softmax is the gradient of this function.

    Parameters
    ----------
    upstream
        The shape of `x` without `axis` (with length 1 there if `keepdims`).
    x
        Any shape.
    axis, keepdims
        As in the forward.

    Returns
    -------
    Array
        The shape and dtype of `x`.
    """
    x = to_floating(x)
    s = softmax(x, axis)  # refuses an axis that is out of range
    kept, left = list(x.shape), list(x.shape)
    if x.ndim:
        kept[axis] = 1
        del left[axis]
    upstream = to_upstream(upstream, tuple(kept if keepdims else left), x.dtype)
    return to_result(upstream.reshape(kept) * s, x.dtype)


def split_softmax(x: Array, axis: int) -> tuple[Array, Array]:
    """Return the softmax s, and ``1 - s`` to its last digits where s is close to 1: there it is the sum of the rest."""
    powers = np.exp(x - _peak(x, axis))
    total = np.sum(powers, axis=axis, keepdims=True)
    largest = powers == 1  # no other entry of a slice can be above one half
    rest = np.sum(np.where(largest, 0, powers), axis=axis, keepdims=True)
    rest = rest + (np.sum(largest, axis=axis, keepdims=True, dtype=x.dtype) - 1)  # the others of a tie
    s = powers / total
    return to_result(s, x.dtype), to_result(np.where(largest, rest / total, 1 - s), x.dtype)


def _peak(x: Array, axis: int) -> Array:
    """Return the largest entry of every slice, or 0 where that is not finite and would make ``inf - inf``."""
    peak = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return to_result(np.where(np.isfinite(peak), peak, 0), x.dtype)


def _log(total: Array) -> Array:
    """Return the logarithm; that of 0, the sum of an empty slice, is ``-inf`` without a warning."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(total))
