"""Squared error, binary cross-entropy with logits, Huber loss and KL divergence.

Targets are data: the gradient is the one with respect to the prediction alone. Prediction and target must have one
shape; broadcasting them is nearly always a slip. Outputs and gradients have the dtype of the prediction.

``mean`` divides by the number of losses: of entries, in the KL divergence of rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gradcheck.reference.activations import sigmoid
from gradcheck.reference.arrays import Array, Reduction, reduce_losses, spread_upstream, to_floating, to_result


def squared_error(prediction: npt.ArrayLike, target: npt.ArrayLike, reduction: Reduction = "mean") -> Array:
    """Return ``(p - t)^2`` per entry, reduced; no factor 1/2.

    C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, section 1.5.5, equation 1.87.

    Parameters
    ----------
    prediction, target
        Any shape, the same for both.
    reduction
        ``none``, ``sum`` or ``mean``.

    Returns
    -------
    Array
        0-d, or with ``none`` the shape of `prediction`.

    Raises
    ------
    ValueError
        If the shapes differ or `reduction` is unknown.
    """
    p, t = _pair(prediction, target)
    return reduce_losses(to_result((p - t) ** 2, p.dtype), reduction)


def squared_error_backward(
    upstream: npt.ArrayLike, prediction: npt.ArrayLike, target: npt.ArrayLike, reduction: Reduction = "mean"
) -> Array:
    """Return the gradient of :func:`squared_error`: ``2 g (p - t)``, over the number of entries for ``mean``.

    Parameters
    ----------
    upstream
        The shape of the output: 0-d, or with ``none`` that of `prediction`.
    prediction, target, reduction
        As in the forward.

    Returns
    -------
    Array
        The shape of `prediction`.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of the output.
    """
    p, t = _pair(prediction, target)
    return to_result(2 * spread_upstream(upstream, p.shape, p.dtype, reduction) * (p - t), p.dtype)


def binary_cross_entropy_with_logits(
    logits: npt.ArrayLike, target: npt.ArrayLike, reduction: Reduction = "mean"
) -> Array:
    """Return ``-(t log s + (1 - t) log(1 - s))`` with ``s = sigmoid(x)``, per entry, reduced.

    Bishop, equation 4.90. Computed as ``max(x, 0) - x t + log1p(exp(-|x|))``, which never overflows.

    Parameters
    ----------
    logits
        Any shape.
    target
        Numbers from 0 to 1 in the shape of `logits`.
    reduction
        ``none``, ``sum`` or ``mean``.

    Returns
    -------
    Array
        0-d, or with ``none`` the shape of `logits`.

    Raises
    ------
    ValueError
        If the shapes differ or `reduction` is unknown.
    """
    x, t = _pair(logits, target, "logits")
    losses = np.maximum(x, 0) - x * t + np.log1p(np.exp(np.where(x > 0, -x, x)))
    return reduce_losses(to_result(losses, x.dtype), reduction)


def binary_cross_entropy_with_logits_backward(
    upstream: npt.ArrayLike, logits: npt.ArrayLike, target: npt.ArrayLike, reduction: Reduction = "mean"
) -> Array:
    """Return the gradient of :func:`binary_cross_entropy_with_logits`: ``g (s - t)``, over the count for ``mean``.

    Bishop, equation 4.91, written as ``(1 - t) s(x) - t s(-x)``: no digit is lost where s is close to the label.

    Parameters
    ----------
    upstream
        The shape of the output: 0-d, or with ``none`` that of `logits`.
    logits, target, reduction
        As in the forward.

    Returns
    -------
    Array
        The shape of `logits`.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of the output.
    """
    x, t = _pair(logits, target, "logits")
    row = spread_upstream(upstream, x.shape, x.dtype, reduction)
    return to_result(row * ((1 - t) * sigmoid(x) - t * sigmoid(-x)), x.dtype)


def huber(prediction: npt.ArrayLike, target: npt.ArrayLike, delta: float = 1.0, reduction: Reduction = "mean") -> Array:
    """Return ``d^2 / 2`` where ``|d| <= delta`` and ``delta (|d| - delta / 2)`` beyond, ``d = p - t``, reduced.

    P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35(1), 1964.

    Parameters
    ----------
    prediction, target
        Any shape, the same for both.
    delta
        Where the parabola goes over into its tangent, positive.
    reduction
        ``none``, ``sum`` or ``mean``.

    Returns
    -------
    Array
        0-d, or with ``none`` the shape of `prediction`.

    Raises
    ------
    ValueError
        If the shapes differ or `reduction` is unknown.
    """
    p, t = _pair(prediction, target)
    difference = p - t
    magnitude = np.where(difference > 0, difference, -difference)
    losses = np.where(magnitude > delta, delta * (magnitude - 0.5 * delta), 0.5 * difference * difference)
    return reduce_losses(to_result(losses, p.dtype), reduction)


def huber_backward(
    upstream: npt.ArrayLike,
    prediction: npt.ArrayLike,
    target: npt.ArrayLike,
    delta: float = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    """Return the gradient of :func:`huber`: ``g d``, d being cut off at ``-delta`` and ``delta`` (Huber's psi).

    Parameters
    ----------
    upstream
        The shape of the output: 0-d, or with ``none`` that of `prediction`.
    prediction, target, delta, reduction
        As in the forward.

    Returns
    -------
    Array
        The shape of `prediction`.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of the output.
    """
    p, t = _pair(prediction, target)
    return to_result(spread_upstream(upstream, p.shape, p.dtype, reduction) * np.clip(p - t, -delta, delta), p.dtype)


def kl_divergence(
    prediction: npt.ArrayLike, target: npt.ArrayLike, axis: int = -1, reduction: Reduction = "mean"
) -> Array:
    """Return ``sum_k t_k (log t_k - log p_k)`` per row along `axis`, reduced; ``0 log 0`` is 0.

    S. Kullback and R. A. Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22(1), 1951:
    the divergence of the prediction from the target.

    Parameters
    ----------
    prediction
        Probabilities, positive, any shape with at least one axis. They need not sum to 1: the divergence is a function
        of every entry by itself.
    target
        Probabilities in the shape of `prediction`, 0 or more.
    axis
        The axis of the classes.
    reduction
        ``none``, ``sum`` or ``mean`` over the rows.

    Returns
    -------
    Array
        0-d, or with ``none`` the shape of `prediction` without `axis`.

    Raises
    ------
    ValueError
        If the shapes differ or `reduction` is unknown.
    """
    p, t = _pair(prediction, target)
    empty = t == 0
    terms = t * (np.log(np.where(empty, 1, t)) - np.log(np.where(empty, 1, p)))
    return reduce_losses(to_result(np.sum(terms, axis=axis), p.dtype), reduction)


def kl_divergence_backward(
    upstream: npt.ArrayLike,
    prediction: npt.ArrayLike,
    target: npt.ArrayLike,
    axis: int = -1,
    reduction: Reduction = "mean",
) -> Array:
    """Return the gradient of :func:`kl_divergence`: ``-g t_k / p_k``, over the number of rows for ``mean``.

    Parameters
    ----------
    upstream
        The shape of the output: 0-d, or with ``none`` that of `prediction` without `axis`.
    prediction, target, axis, reduction
        As in the forward.

    Returns
    -------
    Array
        The shape of `prediction`; 0 where the target is 0.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of the output.
    """
    p, t = _pair(prediction, target)
    row = spread_upstream(upstream, np.sum(t, axis=axis).shape, p.dtype, reduction)
    return to_result(-np.expand_dims(row, axis) * t / np.where(t == 0, 1, p), p.dtype)


def _pair(prediction: npt.ArrayLike, target: npt.ArrayLike, name: str = "prediction") -> tuple[Array, Array]:
    """Return both in the dtype of the prediction."""
    p = to_floating(prediction)
    t = np.asarray(target, dtype=p.dtype)
    if p.shape != t.shape:
        raise ValueError(f"{name} has the shape {p.shape}, but target has {t.shape}")
    return p, t
