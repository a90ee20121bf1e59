"""Layer norm, RMS norm and batch norm with the statistics of the batch.

All three divide by a root of a mean of squares plus `epsilon`, so that a constant slice gives no division by zero.
Variances are those of the population (divided by the count) and taken in two passes, mean first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from gradcheck.reference.arrays import (
    Array,
    sum_to_shape,
    to_axes,
    to_common,
    to_floating,
    to_result,
    to_upstream,
)
from gradcheck.reference.moments import (
    affine,
    affine_backward,
    invert_root,
    lay_along,
    remaining_axes,
    scale_backward,
)


def layer_norm(
    x: npt.ArrayLike,
    gamma: npt.ArrayLike,
    beta: npt.ArrayLike,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-5,
) -> Array:
    """Return ``gamma (x - mean) / sqrt(variance + epsilon) + beta`` with the statistics of every slice along `axis`.

    J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv:1607.06450, section 3.

    Parameters
    ----------
    x
        Any shape with at least one axis.
    gamma, beta
        Gain and bias, of the shape that `x` has along `axis`: ``(K,)`` for an axis of length K.
    axis
        The axis that is normalised, or several of them.
    epsilon
        Added to the variance.

    Returns
    -------
    Array
        The shape of `x`, the widest dtype of the three.

    Raises
    ------
    ValueError
        If `gamma` or `beta` has another shape, or `axis` is out of range.
    """
    x, gamma, beta = to_common(x, gamma, beta)
    axes = to_axes(axis, x.ndim)
    return affine(x, gamma, beta, axes, axes, epsilon)


def layer_norm_backward(
    upstream: npt.ArrayLike,
    x: npt.ArrayLike,
    gamma: npt.ArrayLike,
    beta: npt.ArrayLike,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Return the gradients of :func:`layer_norm`.

    With ``n`` the normalised x, ``r = 1 / sqrt(variance + epsilon)`` and ``h = gamma g``, per slice:
    ``dx = r (h - mean(h) - n mean(h n))``; over the slices: ``dgamma = sum g n``, ``dbeta = sum g``
    (the chain rule through mean and variance, as in Ioffe and Szegedy, section 3, with the axes exchanged).

    Parameters
    ----------
    upstream
        The shape of `x`.
    x, gamma, beta, axis, epsilon
        As in the forward.

    Returns
    -------
    tuple of Array
        Gradients of `x`, `gamma` and `beta`, each in the shape and dtype of its input.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of `x`.
    """
    dtypes = [to_floating(array).dtype for array in (x, gamma, beta)]
    x, gamma, beta = to_common(x, gamma, beta)
    axes = to_axes(axis, x.ndim)
    return affine_backward(upstream, x, gamma, beta, axes, axes, epsilon, dtypes)


def batch_norm(
    x: npt.ArrayLike,
    gamma: npt.ArrayLike,
    beta: npt.ArrayLike,
    axis: int | Sequence[int] = 0,
    epsilon: float = 1e-5,
) -> Array:
    """Return ``gamma (x - mean) / sqrt(variance + epsilon) + beta`` with the statistics of the batch (training).

    S. Ioffe and C. Szegedy, "Batch normalization", arXiv:1502.03167, algorithm 1. Running averages are no part of it.

    Parameters
    ----------
    x
        Any shape with at least one axis: ``(N, C)``, or images ``(N, C, H, W)`` with the axes ``[0, 2, 3]``.
    gamma, beta
        Scale and shift, of the shape that `x` has along the *other* axes: ``(C,)`` in both examples.
    axis
        The axis of the batch, or all the axes that the statistics are taken over.
    epsilon
        Added to the variance.

    Returns
    -------
    Array
        The shape of `x`, the widest dtype of the three.

    Raises
    ------
    ValueError
        If `gamma` or `beta` has another shape, or `axis` is out of range.
    """
    x, gamma, beta = to_common(x, gamma, beta)
    axes = to_axes(axis, x.ndim)
    return affine(x, gamma, beta, axes, remaining_axes(axes, x.ndim), epsilon)


def batch_norm_backward(
    upstream: npt.ArrayLike,
    x: npt.ArrayLike,
    gamma: npt.ArrayLike,
    beta: npt.ArrayLike,
    axis: int | Sequence[int] = 0,
    epsilon: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Return the gradients of :func:`batch_norm`, in the terms of :func:`layer_norm_backward`.

    ``dx = r (h - mean(h) - n mean(h n))`` with means over the batch; ``dgamma = sum g n`` and ``dbeta = sum g`` over
    the batch (Ioffe and Szegedy, section 3, where the same is written with the derivatives of mean and variance).

    Parameters
    ----------
    upstream
        The shape of `x`.
    x, gamma, beta, axis, epsilon
        As in the forward.

    Returns
    -------
    tuple of Array
        Gradients of `x`, `gamma` and `beta`, each in the shape and dtype of its input.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of `x`.
    """
    dtypes = [to_floating(array).dtype for array in (x, gamma, beta)]
    x, gamma, beta = to_common(x, gamma, beta)
    axes = to_axes(axis, x.ndim)
    return affine_backward(upstream, x, gamma, beta, axes, remaining_axes(axes, x.ndim), epsilon, dtypes)


def rms_norm(x: npt.ArrayLike, gamma: npt.ArrayLike, axis: int | Sequence[int] = -1, epsilon: float = 1e-6) -> Array:
    """Return ``gamma x / sqrt(mean(x^2) + epsilon)``, the mean being that of every slice along `axis`.

    B. Zhang and R. Sennrich, "Root mean square layer normalization", arXiv:1910.07467, equation 4 (with an epsilon).

    Parameters
    ----------
    x
        Any shape with at least one axis.
    gamma
        Gain, of the shape that `x` has along `axis`: ``(K,)`` for an axis of length K.
    axis
        The axis that is normalised, or several of them.
    epsilon
        Added to the mean of the squares.

    Returns
    -------
    Array
        The shape of `x`, the wider dtype of the two.

    Raises
    ------
    ValueError
        If `gamma` has another shape, or `axis` is out of range.
    """
    x, gamma = to_common(x, gamma)
    axes = to_axes(axis, x.ndim)
    return to_result(x * invert_root(x, axes, epsilon) * lay_along(gamma, x, axes, "gamma"), x.dtype)


def rms_norm_backward(
    upstream: npt.ArrayLike,
    x: npt.ArrayLike,
    gamma: npt.ArrayLike,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-6,
) -> tuple[Array, Array]:
    """Return the gradients of :func:`rms_norm`.

    With ``n`` the normalised x, ``r = 1 / sqrt(mean(x^2) + epsilon)`` and ``h = gamma g``, per slice:
    ``dx = r (h - n mean(h n))``; over the slices: ``dgamma = sum g n`` (the chain rule through the mean).

    Parameters
    ----------
    upstream
        The shape of `x`.
    x, gamma, axis, epsilon
        As in the forward.

    Returns
    -------
    tuple of Array
        Gradients of `x` and `gamma`, each in the shape and dtype of its input.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of `x`.
    """
    dtypes = [to_floating(array).dtype for array in (x, gamma)]
    x, gamma = to_common(x, gamma)
    axes = to_axes(axis, x.ndim)
    upstream = to_upstream(upstream, x.shape, x.dtype)
    gain = lay_along(gamma, x, axes, "gamma")
    dx = scale_backward(gain * upstream, x, axes, epsilon)
    dgamma = sum_to_shape(upstream * x * invert_root(x, axes, epsilon), gain.shape).reshape(gamma.shape)
    return to_result(dx, dtypes[0]), to_result(dgamma, dtypes[1])
