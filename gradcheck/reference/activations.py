"""Activations, entry by entry: sigmoid, tanh, ReLU, leaky ReLU and softplus.

Every exp is taken of ``-|x|`` and never overflows, and no derivative is a difference of nearly equal numbers
(``1 - tanh(x)^2`` would be): gradients in the tails are right to a few round-offs of themselves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gradcheck.reference.arrays import Array, to_floating, to_result, to_upstream


def sigmoid(x: npt.ArrayLike) -> Array:
    """Return ``1 / (1 + exp(-x))``, as ``exp(x) / (1 + exp(x))`` where x is negative.

    I. Goodfellow, Y. Bengio and A. Courville, "Deep Learning", 2016, equation 3.30.

    Parameters
    ----------
    x
        Any shape.

    Returns
    -------
    Array
        The shape and dtype of `x`.
    """
    x = to_floating(x)
    power = np.exp(_minus_magnitude(x))
    return to_result(np.where(x > 0, 1, power) / (1 + power), x.dtype)


def sigmoid_backward(upstream: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return ``g sigmoid(x) sigmoid(-x)``, which is ``g s (1 - s)`` ("Deep Learning", equation 3.34).

    Parameters
    ----------
    upstream
        The shape of `x`.
    x
        Any shape.

    Returns
    -------
    Array
        The shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `upstream` has another shape.
    """
    x = to_floating(x)
    return to_result(to_upstream(upstream, x.shape, x.dtype) * sigmoid(x) * sigmoid(-x), x.dtype)


def tanh(x: npt.ArrayLike) -> Array:
    """Return ``(exp(x) - exp(-x)) / (exp(x) + exp(-x))``.

    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, "Efficient BackProp", 1998, section 4.4.

    Parameters
    ----------
    x
        Any shape.

    Returns
    -------
    Array
        The shape and dtype of `x`.
    """
    x = to_floating(x)
    return to_result(np.tanh(x), x.dtype)


def tanh_backward(upstream: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return ``g sech(x)^2``, which is ``g (1 - tanh(x)^2)``, as ``4 g p / (1 + p)^2`` with ``p = exp(-2 |x|)``.

    M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964, 4.5.17 and 4.5.73.

    Parameters
    ----------
    upstream
        The shape of `x`.
    x
        Any shape.

    Returns
    -------
    Array
        The shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `upstream` has another shape.
    """
    x = to_floating(x)
    power = np.exp(2 * _minus_magnitude(x))
    return to_result(to_upstream(upstream, x.shape, x.dtype) * 4 * power / (1 + power) ** 2, x.dtype)


def relu(x: npt.ArrayLike) -> Array:
    """Return ``max(x, 0)``.

    V. Nair and G. E. Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.

    Parameters
    ----------
    x
        Any shape.

    Returns
    -------
    Array
        The shape and dtype of `x`.
    """
    x = to_floating(x)
    return to_result(np.maximum(x, 0), x.dtype)


def relu_backward(upstream: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return ``g`` where x is positive and 0 elsewhere; at the kink, 0, that is the left derivative.

    Parameters
    ----------
    upstream
        The shape of `x`.
    x
        Any shape.

    Returns
    -------
    Array
        The shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `upstream` has another shape.
    """
    return leaky_relu_backward(upstream, x, negative_slope=0.0)


def leaky_relu(x: npt.ArrayLike, negative_slope: float = 0.01) -> Array:
    """Return x where it is positive and ``negative_slope * x`` elsewhere.

    A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier nonlinearities improve neural network acoustic models",
    ICML 2013, section 2.

    Parameters
    ----------
    x
        Any shape.
    negative_slope
        Slope on the left of 0.

    Returns
    -------
    Array
        The shape and dtype of `x`.
    """
    x = to_floating(x)
    return to_result(np.where(x > 0, x, negative_slope * x), x.dtype)


def leaky_relu_backward(upstream: npt.ArrayLike, x: npt.ArrayLike, negative_slope: float = 0.01) -> Array:
    """Return ``g`` where x is positive and ``negative_slope * g`` elsewhere, at the kink too.

    Parameters
    ----------
    upstream
        The shape of `x`.
    x
        Any shape.
    negative_slope
        As in the forward.

    Returns
    -------
    Array
        The shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `upstream` has another shape.
    """
    x = to_floating(x)
    upstream = to_upstream(upstream, x.shape, x.dtype)
    return to_result(np.where(x > 0, upstream, negative_slope * upstream), x.dtype)


def softplus(x: npt.ArrayLike, beta: float = 1.0) -> Array:
    """Return ``log(1 + exp(beta x)) / beta`` as ``max(x, 0) + log1p(exp(-|beta x|)) / beta``.

    C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau and R. Garcia, "Incorporating second-order functional knowledge for
    better option pricing", NIPS 2000.

    Parameters
    ----------
    x
        Any shape.
    beta
        Steepness of the bend, positive.

    Returns
    -------
    Array
        The shape and dtype of `x`.
    """
    x = to_floating(x)
    return to_result(np.maximum(x, 0) + np.log1p(np.exp(beta * _minus_magnitude(x))) / beta, x.dtype)


def softplus_backward(upstream: npt.ArrayLike, x: npt.ArrayLike, beta: float = 1.0) -> Array:
    """Return ``g sigmoid(beta x)`` ("Deep Learning", equation 3.37).

    Parameters
    ----------
    upstream
        The shape of `x`.
    x
        Any shape.
    beta
        As in the forward.

    Returns
    -------
    Array
        The shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `upstream` has another shape.
    """
    x = to_floating(x)
    return to_result(to_upstream(upstream, x.shape, x.dtype) * sigmoid(to_result(beta * x, x.dtype)), x.dtype)


def _minus_magnitude(x: Array) -> Array:
    """Return ``-|x|``; of a complex x, the continuation of it from the real line."""
    return to_result(np.where(x > 0, -x, x), x.dtype)
