"""Cross-entropy from logits and from probabilities, with indices or rows of probabilities as labels.

Labels and class weights are data: the gradient is the one with respect to the logits or probabilities alone.

Labels are told apart by their dimensions, as PyTorch does. *Indices* are integers in the shape of the logits without
the class axis; *rows* (one-hot or soft labels) have the shape of the logits. With ``t`` the rows, smoothed to
``t' = (1 - a) t + a / K`` (C. Szegedy et al., "Rethinking the inception architecture for computer vision",
arXiv:1512.00567, section 7), and ``w`` the class weights, the loss of a row is ``-sum_k w_k t'_k log p_k``.

``mean`` divides by the number of rows, with class weights and indices by the sum of the labels' weights
(torch.nn.CrossEntropyLoss, whose conventions these are).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gradcheck.reference.arrays import Array, Reduction, reduce_losses, spread_upstream, to_floating, to_result
from gradcheck.reference.softmax import log_softmax, split_softmax


def cross_entropy(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    class_weights: npt.ArrayLike | None = None,
    axis: int = -1,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Return ``-sum_k w_k t'_k log softmax(x)_k`` per row, reduced.

    C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, equation 4.108, of :func:`log_softmax`.

    Parameters
    ----------
    logits
        Any shape with at least one axis; K classes along `axis`.
    target
        Integers from 0 to K - 1 in the shape of `logits` without `axis`, or rows in the shape of `logits`.
    class_weights
        ``(K,)``; by default all 1.
    axis
        The axis of the classes.
    reduction
        ``none``, ``sum`` or ``mean``.
    label_smoothing
        Share of the label that is spread evenly over the classes, from 0 to 1.

    Returns
    -------
    Array
        0-d, or with ``none`` the shape of `logits` without `axis`; the dtype of `logits`.

    Raises
    ------
    ValueError
        If the labels or the weights do not fit the logits, or `reduction` is unknown.
    """
    logits = to_floating(logits)
    labels, divisor = _weigh_labels(logits, target, class_weights, axis, label_smoothing)
    return reduce_losses(_expect(labels, log_softmax(logits, axis), axis), reduction, divisor)


def cross_entropy_backward(
    upstream: npt.ArrayLike,
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    class_weights: npt.ArrayLike | None = None,
    axis: int = -1,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Return the gradient of :func:`cross_entropy`: ``g (s_k sum_j w_j t'_j - w_k t'_k)``, s being the softmax.

    Without weights and with labels that sum to 1 that is Bishop's ``s - t`` (equation 4.109). ``g`` is the upstream of
    the row's loss: that of the reduced loss, over N where the reduction is ``mean``. Computed from ``1 - s``, so that
    a row that is nearly right keeps the digits of its gradient.

    Parameters
    ----------
    upstream
        The shape of the output: 0-d, or with ``none`` that of `logits` without `axis`.
    logits, target, class_weights, axis, reduction, label_smoothing
        As in the forward.

    Returns
    -------
    Array
        The shape and dtype of `logits`.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of the output.
    """
    logits = to_floating(logits)
    labels, divisor = _weigh_labels(logits, target, class_weights, axis, label_smoothing)
    total = np.sum(labels, axis=axis, keepdims=True)
    row = spread_upstream(upstream, np.squeeze(total, axis=axis).shape, logits.dtype, reduction, divisor)
    s, rest = split_softmax(logits, axis)
    return to_result(np.expand_dims(row, axis) * (s * (total - labels) - labels * rest), logits.dtype)


def cross_entropy_from_probabilities(
    probabilities: npt.ArrayLike,
    target: npt.ArrayLike,
    class_weights: npt.ArrayLike | None = None,
    axis: int = -1,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Return ``-sum_k w_k t'_k log p_k`` per row, reduced; ``0 log 0`` is 0.

    Bishop, equation 4.108. A probability of 0 under a positive label costs ``inf``, as it should: where probabilities
    come from a softmax, take the loss of its logits.

    Parameters
    ----------
    probabilities
        Positive, any shape with at least one axis; K classes along `axis`. They need not sum to 1: the loss is a
        function of every entry by itself.
    target, class_weights, axis, reduction, label_smoothing
        As in :func:`cross_entropy`.

    Returns
    -------
    Array
        0-d, or with ``none`` the shape of `probabilities` without `axis`; the dtype of `probabilities`.

    Raises
    ------
    ValueError
        As in :func:`cross_entropy`.
    """
    p = to_floating(probabilities)
    labels, divisor = _weigh_labels(p, target, class_weights, axis, label_smoothing)
    return reduce_losses(_expect(labels, np.log(np.where(labels == 0, 1, p)), axis), reduction, divisor)


def cross_entropy_from_probabilities_backward(
    upstream: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    target: npt.ArrayLike,
    class_weights: npt.ArrayLike | None = None,
    axis: int = -1,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Return the gradient of :func:`cross_entropy_from_probabilities`: ``-g w_k t'_k / p_k``, 0 where the label is 0.

    The derivative of Bishop's equation 4.108 by y; that of a softmax in front of it is not included.

    Parameters
    ----------
    upstream
        The shape of the output: 0-d, or with ``none`` that of `probabilities` without `axis`.
    probabilities, target, class_weights, axis, reduction, label_smoothing
        As in the forward.

    Returns
    -------
    Array
        The shape and dtype of `probabilities`.

    Raises
    ------
    ValueError
        As in the forward, and if `upstream` does not have the shape of the output.
    """
    p = to_floating(probabilities)
    labels, divisor = _weigh_labels(p, target, class_weights, axis, label_smoothing)
    row = spread_upstream(upstream, np.sum(labels, axis=axis).shape, p.dtype, reduction, divisor)
    return to_result(-np.expand_dims(row, axis) * labels / np.where(labels == 0, 1, p), p.dtype)


def _expect(labels: Array, logarithms: Array, axis: int) -> Array:
    """Return ``-sum labels * logarithms``, in which a label of 0 wins over an infinite logarithm."""
    return to_result(-np.sum(labels * np.where(labels == 0, 0, logarithms), axis=axis), labels.dtype)


def _weigh_labels(
    scores: Array, target: npt.ArrayLike, class_weights: npt.ArrayLike | None, axis: int, label_smoothing: float
) -> tuple[Array, float | None]:
    """Return ``w_k t'_k`` in the shape and dtype of `scores`, and what a mean divides by if not the number of rows."""
    indices = np.ndim(target) == scores.ndim - 1
    rows = _one_hot(np.asarray(target), scores, axis) if indices else np.asarray(target, dtype=scores.dtype)
    if rows.shape != scores.shape:
        raise ValueError(
            f"target has the shape {np.shape(target)}: labels as rows have {scores.shape}, "
            "labels as indices one axis less"
        )
    classes = scores.shape[axis]
    smoothed = (1 - label_smoothing) * rows + label_smoothing / max(classes, 1) if label_smoothing else rows
    if class_weights is None:
        return to_result(smoothed, scores.dtype), None
    weights = np.asarray(class_weights, dtype=scores.dtype)
    if weights.shape != (classes,):
        raise ValueError(f"class_weights has the shape {weights.shape}, but there are {classes} classes")
    weights = np.moveaxis(weights.reshape([classes] + [1] * (scores.ndim - 1)), 0, axis)
    divisor = float(np.sum(weights * rows).real) if indices else None
    return to_result(weights * smoothed, scores.dtype), divisor


def _one_hot(labels: npt.NDArray[np.generic], scores: Array, axis: int) -> Array:
    """Return 1 where the position along `axis` is the label of the row, and 0 elsewhere."""
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels as indices are integers, but target is {labels.dtype}")
    classes = scores.shape[axis]
    rows = np.moveaxis(scores, axis, -1)
    if labels.shape != rows.shape[:-1]:
        raise ValueError(f"target has the shape {labels.shape}, but the rows of the logits have {rows.shape[:-1]}")
    if labels.size and not (np.min(labels) >= 0 and np.max(labels) < classes):
        raise ValueError(
            f"target holds labels from {np.min(labels)} to {np.max(labels)}, but there are {classes} classes"
        )
    hot = np.expand_dims(labels, -1) == np.arange(classes)
    return np.moveaxis(hot.astype(scores.dtype), -1, axis)
