"""Scale and reduction: the gradient is right but for a factor that has a name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.factors import Factor, named, plain
from gradcheck.rules.paths import splits
from gradcheck.rules.predictions import Prediction
from gradcheck.rules.ratios import constant, one_output
from gradcheck.rules.registry import rule
from gradcheck.rules.view import View


def scaled(view: View, *kinds: str) -> Iterator[tuple[Factor, Prediction]]:
    """Yield a prediction for every named number of some kinds that the global ratio equals."""
    ratio = constant(view)
    if ratio is None:
        yield from _in_outputs(view, *kinds)
        yield from _beside_penalty(view, *kinds)
        return
    for factor in named(view, ratio):
        if factor.kind in kinds:
            message = f"the gradient is {plain(ratio)} times the true one, and that is {factor.label}"
            yield factor, Prediction(message, "", jacobian=ratio * view.J, law=factor.law, evidence={"ratio": ratio})


def _beside_penalty(view: View, *kinds: str) -> Iterator[tuple[Factor, Prediction]]:
    """Yield the same for a loss with a penalty on the weights that is right: the ratio is that of the rest."""
    for split in splits(view):
        pairs = list(zip(split.paths, split.kept or (), strict=False))
        right = [path for path, share in pairs if path.kind == "penalty" and abs(share - 1.0) < 10 * view.slack]
        rest = [(path, share) for path, share in pairs if path.kind != "penalty"]
        if len(right) != 1 or len(rest) != 1:
            continue
        path, ratio = rest[0]
        for factor in named(view, ratio):
            if factor.kind in kinds and factor.kind not in ("root", "quotient"):
                text = f"all but the penalty is {plain(ratio)} times the true one, and that is {factor.label}"
                matrix = view.J + (ratio - 1.0) * path.matrix
                yield (
                    factor,
                    Prediction(
                        text,
                        "",
                        jacobian=matrix,
                        free=1,
                        rank=6,
                        evidence={"ratio": ratio, "of": "all but the penalty"},
                    ),
                )


def _subject(prediction: Prediction) -> str:
    return str(prediction.evidence.get("of", "the gradient"))


def _in_outputs(view: View, *kinds: str) -> Iterator[tuple[Factor, Prediction]]:
    """Yield the same for a ratio that some of several outputs have, the others being right."""
    part = one_output(view)
    if part is None:
        return
    ratio, matrix, places = part
    # a 2 that was lost on the way from one output needs no other name; roots and quotients equal too many numbers
    plainly = min(abs(ratio - number) for number in (2.0, 0.5, -1.0)) < 10 * view.slack
    for factor in () if plainly else named(view, ratio):
        if factor.kind in kinds and factor.kind not in ("root", "quotient"):
            which = ", ".join(map(str, places))
            text = f"what comes from output {which} is {plain(ratio)} times the true one, and that is {factor.label}"
            yield factor, Prediction(text, "", jacobian=matrix, rank=6, evidence={"ratio": ratio, "output": which})


def batched(view: View) -> int:
    """Return by how many samples the forward divides: the length of a leading axis, or 0."""
    for name, value in view.truth.inputs.items():
        size = np.shape(value)[0] if np.ndim(value) else 0
        if size < 1:
            continue
        touched = {
            key: np.concatenate([np.asarray(part)] * 2)
            for key, part in view.truth.inputs.items()
            if np.ndim(part) and np.shape(part)[0] == size
        }
        more = view.measure(touched)
        if more is None or len(more) != view.M:
            continue
        own = more[:, : view.N]
        expected = 0.5 * view.J if view.name in touched else view.J
        if view.name in touched and np.allclose(own, expected, rtol=max(1e-4, view.slack), atol=10 * view.zero):
            return int(size)
        if (
            name != view.name
            and view.name not in touched
            and np.allclose(own, view.J, rtol=max(1e-4, view.slack), atol=10 * view.zero)
        ):
            return int(size)
    return 0


@rule("missing-one-over-n", "scale", 8)
def missing_one_over_n(view: View) -> Iterator[Prediction]:
    """The forward takes the mean over the batch, the backward the sum.

    How it comes about: the 1/N of the mean is forgotten.

    Formula: a = N J^T g.

    Hidden when: the batch has one sample.

    Mended: divide by the number that the forward divides by.

    Wrong::

        return g * (p - t)

    Right::

        return g * (p - t) / len(t)
    """
    for factor, prediction in scaled(view, "samples"):
        prediction.message = f"{_subject(prediction)} is too large by {factor.label}: the 1/N of the mean is missing"
        prediction.remedy = "divide by the number that the forward divides by"
        yield prediction
    if view.account is None and (size := batched(view)):
        yield Prediction("the 1/N of the mean is missing", "", jacobian=size * view.J, usual=True)


@rule("extra-one-over-n", "scale", 8)
def extra_one_over_n(view: View) -> Iterator[Prediction]:
    """The gradient is divided by the batch size once too often.

    How it comes about: the loss is a mean already, and its backward or the layer's parameters divide again.

    Formula: a = J^T g / N.

    Hidden when: the batch has one sample, or only the other inputs are checked.

    Mended: divide once, where the forward divides.

    Wrong::

        d = (p - t) / n; return g * d / n

    Right::

        return g * (p - t) / n
    """
    for factor, prediction in scaled(view, "1/samples"):
        prediction.message = (
            f"{_subject(prediction)} is too small, by {factor.label}: it was divided by the batch too often"
        )
        prediction.remedy = "divide once, where the forward does"
        yield prediction
    if view.account is None and (size := batched(view)):
        yield Prediction("divided by the batch twice", "", jacobian=view.J / size, usual=True)


@rule("factor-two", "scale", 6)
def factor_two(view: View) -> Iterator[Prediction]:
    """A factor of 2 is missing, or too many.

    How it comes about: the derivative of x^2 is written as x, or the one-half of the forward is forgotten.

    Formula: a = 2 J^T g, or half of J^T g.

    Hidden when: never; training sees another learning rate only.

    Mended: the derivative of x^2 is 2 x, that of x^2 / 2 is x.

    Wrong::

        return g * (y - t) / y.size     # forward: ((y - t) ** 2).mean()

    Right::

        return 2 * g * (y - t) / y.size
    """
    pairs = [(0.5, "half of what it should be"), (2.0, "twice what it should be")]
    for ratio, words in [*pairs, (4.0, "four times what it should be"), (0.25, "a quarter of what it should be")]:
        yield Prediction(
            f"the gradient is {words}",
            "look for a square whose 2 (or a one-half whose 2) was lost",
            jacobian=ratio * view.J,
            rank=0 if ratio in (0.5, 2.0) else 4,
            usual=ratio in (0.5, 2.0),
            law=lambda _, r=ratio: r,  # type: ignore[misc]
            evidence={"ratio": ratio},
        )
