"""What the norms have in common: taking off a mean, dividing by a root mean square, and the backward of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gradcheck.reference.arrays import Array, DType, average, sum_to_shape, to_result, to_upstream


def affine(
    x: Array, gamma: Array, beta: Array, axes: tuple[int, ...], parameter_axes: tuple[int, ...], epsilon: float
) -> Array:
    """Return x standardised over `axes`, with a scale and a shift that lie along `parameter_axes`."""
    gain, shift = lay_along(gamma, x, parameter_axes, "gamma"), lay_along(beta, x, parameter_axes, "beta")
    centred = centre_on_mean(x, axes)
    return to_result(centred * invert_root(centred, axes, epsilon) * gain + shift, x.dtype)


def affine_backward(
    upstream: npt.ArrayLike,
    x: Array,
    gamma: Array,
    beta: Array,
    axes: tuple[int, ...],
    parameter_axes: tuple[int, ...],
    epsilon: float,
    dtypes: Sequence[DType],
) -> tuple[Array, Array, Array]:
    """Return the gradients of :func:`affine`, each in its dtype."""
    upstream = to_upstream(upstream, x.shape, x.dtype)
    gain = lay_along(gamma, x, parameter_axes, "gamma")
    lay_along(beta, x, parameter_axes, "beta")
    centred = centre_on_mean(x, axes)
    dx = scale_backward(gain * upstream, centred, axes, epsilon, centre=True)
    normal = centred * invert_root(centred, axes, epsilon)
    dgamma = sum_to_shape(upstream * normal, gain.shape).reshape(gamma.shape)
    dbeta = sum_to_shape(upstream, gain.shape).reshape(beta.shape)
    return to_result(dx, dtypes[0]), to_result(dgamma, dtypes[1]), to_result(dbeta, dtypes[2])


def centre_on_mean(x: Array, axes: tuple[int, ...]) -> Array:
    """Return x without its mean, taken off twice: beside values close together the first one's rounding is large."""
    centred = x - average(x, axes)
    return to_result(centred - average(centred, axes), x.dtype)


def invert_root(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    """Return ``1 / sqrt(mean(x^2) + epsilon)`` over `axes`, which are kept with length 1."""
    return to_result(1 / np.sqrt(average(x * x, axes) + epsilon), x.dtype)


def scale_backward(h: Array, x: Array, axes: tuple[int, ...], epsilon: float, *, centre: bool = False) -> Array:
    """Return ``r (h - n mean(h n))`` with ``n = r x`` and ``r = 1 / sqrt(m + epsilon)``, m being the mean of x^2.

    With ``u = x / sqrt(m)`` that is r times the part of h across u, and ``epsilon / (m + epsilon)`` times the part
    along it. Taken apart so, and the part across projected twice, nothing of it is lost in slices of two entries (of
    one in the RMS norm), in which h has no part across and the formula as it stands is a difference of equal numbers.
    With `centre`, x has the mean 0 and h is to lose its own.
    """
    square = average(x * x, axes)
    u = x / np.sqrt(np.where(square == 0, 1, square))
    h = h - average(h, axes) if centre else h
    along = average(h * u, axes)
    across = h
    for _ in range(2):
        across = across - u * average(across * u, axes)
        across = across - average(across, axes) if centre else across
    return to_result(invert_root(x, axes, epsilon) * (across + u * along * epsilon / (square + epsilon)), x.dtype)


def remaining_axes(axes: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """Return the axes of an array of `ndim` dimensions that are not among `axes`."""
    return tuple(axis for axis in range(ndim) if axis not in axes)


def lay_along(parameter: Array, x: Array, axes: tuple[int, ...], name: str) -> Array:
    """Return `parameter` in the shape of `x`, with length 1 along the axes that it does not have."""
    expected = tuple(x.shape[axis] for axis in axes)
    if parameter.shape != expected:
        raise ValueError(f"{name} has the shape {parameter.shape}, but x asks for {expected}")
    return parameter.reshape([size if axis in axes else 1 for axis, size in enumerate(x.shape)])
