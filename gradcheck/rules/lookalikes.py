"""The derivative of another function."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.anatomy import Term
from gradcheck.rules.functions import ACTIVATIONS, BASIC, evaluate
from gradcheck.rules.paths import known_activation
from gradcheck.rules.point import diagonal_seen
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.ratios import constant
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@rule("derivative-of-another-function", "point", 20)
def other_function(view: View) -> Iterator[Prediction]:
    """The backward is the derivative of another, often similar, function.

    How it comes about: GELU has two variants, x**c is taken for c**x, the L2 norm's backward is copied to the L1 norm;
    sigma is written for sigma'.

    Formula: a = h'(x) g with h not f.

    Hidden when: the two derivatives agree at x; a loose tolerance hides variants that differ by a few percent.

    Mended: differentiate the function of the forward.

    Wrong::

        return g * c * x ** (c - 1)                   # forward: c ** x

    Right::

        return g * np.log(c) * c ** x
    """
    remedy = "differentiate the function that the forward computes"
    seen = diagonal_seen(view)
    if seen is not None:
        function = known_activation(view, seen)
        if function is not None and _alone(view):
            yield Prediction(f"this is the derivative of {function.label}", remedy, jacobian=np.diag(seen))
    yield from _of_identity(view, seen)
    yield from _of_difference(view, remedy)
    for option, value in view.truth.options.items():
        if isinstance(value, str) and view.elementwise:
            for other in ("none", "tanh", "exact", "erf", "sigmoid"):
                matrix = view.measure(options={option: other}) if other != value else None
                if matrix is not None and matrix.shape == view.J.shape:
                    yield Prediction(
                        f"this is the derivative for {option} = {other!r}", remedy, jacobian=matrix, usual=True
                    )
    shape = view.anatomy
    if shape is not None and len(shape.terms) == 1:
        (term,) = shape.terms
        for label, word in _words(view).items():
            for inside, outside in ((term.inside, word), (word, term.outside)):
                for sign in (1.0, -1.0):
                    yield Prediction(
                        f"a vector of the outer product is {label}, which belongs to another function",
                        remedy,
                        jacobian=shape.swap(Term(sign * inside, outside, label)).compose(),
                        rank=11,
                    )
    yield from _second(view, seen)
    yield from _close(view, seen, remedy)


def _of_identity(view: View, seen: Floats | None) -> Iterator[Prediction]:
    """The upstream is passed on as it came. Where the truth is 0 or 1 as well, it is a mask that is missing."""
    if seen is None or not view.elementwise or not np.all(seen == 1.0):
        return
    slopes = np.sort(view.diagonal)
    several = np.count_nonzero(np.diff(slopes) > 1e-6 * max(float(np.abs(slopes).max()), 1e-300)) + 1
    if several > max(2, view.N // 2):
        text = "the upstream was passed on as it came, as if the layer were the identity"
        yield Prediction(
            text, "multiply the upstream by the derivative of the forward", jacobian=np.eye(view.N), rank=-30
        )


def _second(view: View, seen: Floats | None) -> Iterator[Prediction]:
    """The derivative was differentiated once more."""
    if seen is None or np.ptp(seen) <= 1e-3 * np.abs(seen).max(initial=0.0) or view.N < 4:
        return
    x = view.x.ravel()
    step = 1e-3 * max(1.0, float(np.median(np.abs(x))))
    slopes = []
    for share in (1.0, -1.0, 2.0, -2.0):
        moved = view.measure({view.name: (x + share * step).reshape(view.x.shape)})
        if moved is None or moved.shape != view.J.shape:
            return
        slopes.append(np.diag(moved))
    bend = (8 * (slopes[0] - slopes[1]) - (slopes[2] - slopes[3])) / (12 * step)
    # of a function of a difference, d^2/dt^2 has the other sign than what the chain rule makes of it
    off = min(distance(seen, bend), distance(seen, -bend))
    if off < max(1e-5, view.tolerance):
        text = "this is the second derivative, not the first"
        yield Prediction(text, "differentiate the function once", explained=min(off, view.tolerance), rank=2)


def _alone(view: View) -> bool:
    """Whether the layer is a function of this input alone: other inputs, moved, leave its derivative as it is."""
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name != view.name and array.dtype.kind == "f":
            other = view.measure({name: 1.3 * np.asarray(array, dtype=np.float64) + 0.1})
            if other is None or other.shape != view.J.shape or distance(other, view.J) > view.slack:
                return False
    return True


def _of_difference(view: View, remedy: str) -> Iterator[Prediction]:
    """A loss of x - t whose backward is that of another loss of x - t: both are known functions, up to one scale."""
    linked = np.abs(view.J) > view.zero
    if view.A is None or view.offset.any() or view.N < 4 or np.any(linked.sum(axis=0) > 1):
        return
    if np.any((np.abs(view.A) > view.zero).sum(axis=0) > 1):
        return
    true, seen = view.J.sum(axis=0), view.A.sum(axis=0)
    for name, value in view.truth.inputs.items():
        other = np.asarray(value)
        if name == view.name or other.shape != view.x.shape or other.dtype.kind not in "iuf":
            continue
        gap = view.x.ravel() - other.ravel()
        known = [(f, evaluate(f.df, gap)) for f in (*BASIC, *ACTIVATIONS)]
        scales = {_multiple(true, slope, view.slack) for _, slope in known if slope is not None} - {None}
        for function, slope in known:
            share = None if slope is None else _multiple(seen, slope, view.slack)
            if share is not None and any(
                abs(share - k * c) < view.slack * abs(share) for k in scales if k for c in (1, 2, 0.5)
            ):
                text = f"this is the derivative of {function.label} of {view.name} - {name}"
                yield Prediction(text, remedy, explained=0.0, rank=2)
                return


def _multiple(values: Floats, word: Floats, slack: float) -> float | None:
    """Return c with values = c word, or ``None``."""
    size = float(word @ word)
    if size == 0 or np.ptp(word) == 0:
        return None
    share = float(word @ values) / size
    return share if share and distance(values, share * word) < slack else None


def _words(view: View) -> dict[str, Floats]:
    x = view.x.ravel()
    words = {"x": x, "x^2": x * x, "|x|": np.abs(x), "sign(x)": np.sign(x), "x^3": x**3, "x |x|": x * np.abs(x)}
    root = evaluate(lambda v: np.sqrt(np.abs(v)), x)
    if root is not None:
        words["sqrt|x|"] = root
    words["y^2"] = view.y * view.y
    return words


def _close(view: View, seen: Floats | None, remedy: str) -> Iterator[Prediction]:
    """A smooth function that is near the derivative everywhere, and right nowhere in particular."""
    # the same share everywhere is a factor without a name, no other function
    if seen is None or view.N < 6 or constant(view) is not None:
        return
    scale = np.abs(view.diagonal).max()
    off = np.abs(seen - view.diagonal) / scale if scale else np.zeros(view.N)
    if 10 * view.slack < off.max() < 0.1 and np.median(off) > 0.1 * view.slack:
        order = np.argsort(view.x.ravel())
        steps = np.abs(np.diff((seen - view.diagonal)[order]))
        if steps.max(initial=0.0) <= 2.1 * np.abs(seen - view.diagonal).max():
            yield Prediction(
                f"the gradient is that of a function near this one: off by at most {off.max():.2g} of its scale",
                remedy,
                explained=0.0,
                rank=60,
                evidence={"largest difference": float(off.max())},
            )
