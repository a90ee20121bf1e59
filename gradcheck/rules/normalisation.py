"""Normalisation layers: which of the paths through mean and variance got lost, and what was normalised."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.invariance import Lost, lost
from gradcheck.rules.paths import splits
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.view import View


@rule("mean-path-missing", "normalisation", 12)
def mean_path_missing(view: View) -> Iterator[Prediction]:
    """The mean of a normalisation layer is treated as a constant.

    How it comes about: the term that comes from subtracting the mean is dropped, often with the argument that the
    variance term takes care of it.

    Formula: a = r (d - xhat mean(d xhat)) where the truth is r (d - mean(d) - xhat mean(d xhat)).

    Hidden when: the upstream (times gamma) has mean zero in every slice.

    Mended: subtract mean(d) over the normalised axes.

    Wrong::

        dx = r * (d - xhat * (d * xhat).mean(-1, keepdims=True))

    Right::

        dx = r * (d - d.mean(-1, keepdims=True) - xhat * (d * xhat).mean(-1, keepdims=True))
    """
    message, remedy = "the mean was treated as a constant", "subtract mean(d) over the slice"
    yield from _without(view, ("mean",), message, remedy)
    labels = any(np.asarray(v).dtype.kind in "iub" for v in view.truth.inputs.values())
    for part in lost(view):
        # smoothed labels shift the gradient of a loss by a constant as well
        if part.kind == "mean" and not (view.M == 1 and labels):
            yield _seen(part, f"{message}: the gradient does not sum to 0 over the slice", remedy)


@rule("variance-path-missing", "normalisation", 12)
def variance_path_missing(view: View) -> Iterator[Prediction]:
    """The variance of a normalisation layer is treated as a constant.

    How it comes about: the standard deviation is taken for a number and not for a function of x.

    Formula: a = r (d - mean d) where the truth is r (d - mean(d) - xhat mean(d xhat)).

    Hidden when: the upstream is orthogonal to xhat in every slice, for example constant.

    Mended: subtract xhat mean(d xhat) over the normalised axes.

    Wrong::

        dx = r * (d - d.mean(-1, keepdims=True))

    Right::

        dx = r * (d - d.mean(-1, keepdims=True) - xhat * (d * xhat).mean(-1, keepdims=True))
    """
    message = "the variance was treated as a constant"
    remedy = "subtract xhat mean(d xhat) over the slice"
    yield from _without(view, ("variance",), message, remedy)
    for part in lost(view):
        if part.kind == "scale" and part.shifts and part.kept is not None and abs(part.kept) < 1e-3:
            yield _seen(part, f"{message}: the gradient is not orthogonal to xhat", remedy)


@rule("statistics-treated-as-constants", "normalisation", 9)
def statistics_constant(view: View) -> Iterator[Prediction]:
    """Mean and variance are both treated as constants.

    How it comes about: the statistics are detached, or the rule of the evaluation mode is used in training.

    Formula: a = gamma r g.

    Hidden when: the upstream has mean zero and is orthogonal to xhat in every slice; nearly, on large batches.

    Mended: both statistics are functions of x: add the mean path and the variance path.

    Wrong::

        dx = gamma * r * g

    Right::

        dx = r * (d - d.mean(0) - xhat * (d * xhat).mean(0))     # d = gamma * g
    """
    for split in splits(view):
        kinds = {path.kind for path in split.paths}
        if {"mean", "variance"} <= kinds:
            matrix = split.without("mean", "variance")
            if matrix is not None:
                yield Prediction(
                    "mean and variance were both treated as constants",
                    "add the paths through the mean and the variance of the slice",
                    jacobian=matrix,
                    usual=True,
                )
    for part in lost(view):
        # nearly 0: with an epsilon under the root scaling the input is not quite scaling xhat
        if part.kind == "both" and part.kept is not None and abs(part.kept) < 1e-3:
            yield _seen(
                part,
                "mean and variance were both treated as constants",
                "add the paths through the mean and the variance of the slice",
            )


@rule("spurious-mean-term", "normalisation", 14)
def spurious_mean(view: View) -> Iterator[Prediction]:
    """A mean is subtracted in the backward of a layer that subtracts none in the forward.

    How it comes about: the backward of layer normalisation is pasted into RMS normalisation.

    Formula: a = t - r mean(d): a sums to zero over the slice although t does not.

    Hidden when: the upstream has mean zero in every slice.

    Mended: take the term out.

    Wrong::

        dx = r * (d - d.mean(-1, keepdims=True) - xhat * (d * xhat).mean(-1, keepdims=True))   # RMS norm

    Right::

        dx = r * (d - xhat * (d * xhat).mean(-1, keepdims=True))
    """
    shape = view.anatomy
    if shape is None or any(term.label == "one" for term in shape.terms):
        return
    count = shape.same.sum(axis=1)
    remedy = "leave the mean out: the forward subtracts none"
    message = "a mean over the slice was subtracted that the forward does not subtract"
    extra = np.outer(shape.d / count, np.ones(view.N)) * shape.same
    yield Prediction(message, remedy, jacobian=view.J - extra, usual=True)
    mean = shape.same / count[:, None]
    yield Prediction(message, remedy, jacobian=view.J - view.J @ mean)


@rule("affine-scale-missing", "normalisation", 16)
def affine_scale_missing(view: View) -> Iterator[Prediction]:
    """The scale of a normalisation layer, gamma or 1 + gamma, is left out of the gradient with respect to the input.

    How it comes about: the derivation was made without the affine part, or with gamma in another convention.

    Formula: a is the gradient for gamma = 1 (or gamma - 1, or gamma + 1).

    Hidden when: gamma has its initial value 1.

    Mended: multiply the upstream with gamma before anything else, d = gamma * g.

    Wrong::

        dx = r * (g - g.mean(-1, keepdims=True) - xhat * (g * xhat).mean(-1, keepdims=True))

    Right::

        d = gamma * g; dx = r * (d - d.mean(-1, keepdims=True) - xhat * (d * xhat).mean(-1, keepdims=True))
    """
    if not view.coupled and not _normalised(view):
        return
    for name, value in view.truth.inputs.items():
        if name == view.name or np.asarray(value).dtype.kind != "f" or np.size(value) > view.N:
            continue
        if not view.coupled and (name not in view.truth.wrt or np.size(value) < 2):
            continue
        ways = [("1", np.ones_like(value)), ("itself less 1", value - 1), ("itself plus 1", value + 1)]
        if view.account is not None and _stored_less_one(view, name):
            ways.append(("0", np.zeros_like(value)))
        for label, other in ways:
            matrix = view.measure({name: other})
            if matrix is not None and matrix.shape == view.J.shape:
                yield Prediction(
                    f"the gradient is that for {name} = {label}: the scale is missing in it",
                    f"multiply the upstream with {name} first, as the forward multiplies the normalised input",
                    jacobian=matrix,
                    # what is learnt beside a direction is a scale, whatever else multiplies with it
                    rank=0 if view.coupled else -8,
                    usual=label == "1" and distance(matrix, view.J) >= 0,
                )


def _normalised(view: View) -> bool:
    """Whether the scale of the input changes nothing, as in weight normalisation, and the case has a scale of its own.

    A scale that is not differentiated is a weight of samples, and has another name.
    """
    x = view.x.ravel()
    size = float(np.linalg.norm(np.abs(view.J) @ np.abs(x)))
    return view.account is not None and float(np.linalg.norm(view.J @ x)) < max(1e-6, view.slack) * size


def _stored_less_one(view: View, name: str) -> bool:
    """Whether the layer multiplies with 1 + an input: at -1 nothing depends on x any more."""
    matrix = view.measure({name: -np.ones_like(np.asarray(view.truth.inputs[name]))})
    if matrix is None or matrix.shape != view.J.shape:
        return False
    return float(np.abs(matrix).max(initial=0.0)) <= max(view.zero, 1e-9 * float(np.abs(view.J).max()))


def _seen(part: Lost, message: str, remedy: str) -> Prediction:
    evidence: dict[str, Plain] = {"entries of a slice": part.size, "rest of the error": part.residual}
    return Prediction(message, remedy, explained=0.0, rank=15, evidence=evidence)


def _without(view: View, kinds: tuple[str, ...], message: str, remedy: str) -> Iterator[Prediction]:
    for split in splits(view):
        matrix = split.without(*kinds)
        if matrix is not None:
            yield Prediction(message, remedy, jacobian=matrix, usual=True)
