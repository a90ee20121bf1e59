"""Backward passes that are not linear in the upstream."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@rule("upstream-applied-twice", "upstream", 12)
def applied_twice(view: View) -> Iterator[Prediction]:
    """The chain rule is multiplied in twice.

    How it comes about: a helper already returns the product with the upstream, and its caller multiplies again.

    Formula: a = (J^T g) g, or J^T (g g).

    Hidden when: the upstream is all ones.

    Mended: multiply once: either the helper returns the derivative, or its caller leaves the upstream alone.

    Wrong::

        return g * softmax_vjp(g, s)

    Right::

        return softmax_vjp(g, s)
    """
    message = "the upstream was multiplied in twice: doubling it makes the gradient four times as large"
    remedy = "multiply with the upstream once"
    J = view.J
    yield Prediction(message, remedy, respond=lambda g: J.T @ (g * g), usual=True)
    if view.M == view.N:
        yield Prediction(message, remedy, respond=lambda g: (J.T @ g) * g, usual=True)
    if view.account is not None and not affine(view):
        value = _degree_two(view)
        if value < 1e-6:
            yield Prediction(
                message, remedy, explained=value, rank=5, evidence={"checked": "a(2g) = 4 a(g), a(-g) = a(g)"}
            )


def affine(view: View) -> bool:
    """Whether the backward is linear in the upstream but for an offset."""
    known = view.memory.get("affine")
    if known is None:
        known = True
        if view.A is not None:
            for g in view.upstreams():
                seen = view.respond(g)
                if seen is not None and distance(seen, view.A.T @ g + view.offset) > 1e-6:
                    known = False
        else:
            known = view.linear
        view.memory["affine"] = known
    return bool(known)


def _degree_two(view: View) -> float:
    first, double, negative = view.respond(view.g), view.respond(2.0 * view.g), view.respond(-view.g)
    if first is None or double is None or negative is None or not np.any(first):
        return float("inf")
    return max(distance(double, 4.0 * first), distance(negative, first))


@rule("nonlinear-in-upstream", "upstream", 20)
def nonlinear(view: View) -> Iterator[Prediction]:
    """The upstream itself is rectified, clipped or thresholded: the backward is not linear in it.

    How it comes about: negative gradients are set to zero (guided backpropagation), or gradients are clipped inside the
    layer.

    Formula: a = J^T max(g, 0), or another function of g.

    Hidden when: the upstream is non-negative, as all ones are.

    Mended: a VJP is linear in the upstream; clip gradients in the optimiser.

    Wrong::

        d = g.copy(); d[d < 0] = 0; d[x <= 0] = 0; return d

    Right::

        return g * (x > 0)
    """
    J = view.J
    remedy = "a VJP is linear in the upstream: take the function of the upstream out of the backward"
    forms: dict[str, Callable[[Floats], Floats]] = {
        "negative entries of the upstream were set to zero": lambda g: J.T @ np.maximum(g, 0.0),
        "the absolute value of the upstream was used": lambda g: J.T @ np.abs(g),
        "the sign of the upstream was used": lambda g: J.T @ np.sign(g),
        "the upstream was clipped to [-1, 1]": lambda g: J.T @ np.clip(g, -1.0, 1.0),
        "negative entries of the gradient were set to zero": lambda g: np.maximum(J.T @ g, 0.0),
        "the gradient was clipped to [-1, 1]": lambda g: np.clip(J.T @ g, -1.0, 1.0),
        "the sign of the gradient was returned": lambda g: np.sign(J.T @ g),
        "the upstream was divided by its norm": lambda g: J.T @ g / max(float(np.linalg.norm(g)), 1e-300),
        "the gradient was divided by its norm": lambda g: J.T @ g / max(float(np.linalg.norm(J.T @ g)), 1e-300),
    }
    for place, (message, respond) in enumerate(forms.items()):
        yield Prediction(message, remedy, respond=respond, usual=place == 0)
    if view.account is not None and not affine(view) and view.a is not None and np.all(np.isfinite(view.a)):
        yield Prediction(
            "the gradient is not linear in the upstream",
            remedy,
            explained=0.0,
            rank=60,
            evidence={"nonlinearity": _nonlinearity(view)},
        )


def _nonlinearity(view: View) -> float:
    first, second = view.upstreams()[0], view.upstreams()[3]
    parts = [view.respond(first), view.respond(second), view.respond(first + second)]
    if any(part is None for part in parts):
        return float("nan")
    a, b, both = (np.asarray(part) for part in parts)
    return distance(both + view.offset, a + b)


@rule("uses-updated-parameters", "state", 30)
def updated_parameters(view: View) -> Iterator[Prediction]:
    """A step of the optimiser is taken inside the backward, before the other gradients are computed.

    How it comes about: ``W -= lr * dW`` stands above ``dx = g @ W.T``.

    Formula: a = (W - lr dW)^T g: the error is proportional to lr, and a is not linear in the upstream.

    Hidden when: lr = 0, or the step is taken after all gradients have been computed (which is warned of).

    Mended: compute all gradients first, and let the optimiser change the parameters afterwards.

    Wrong::

        dW = x.T @ g; W -= lr * dW; dx = g @ W.T

    Right::

        dW, dx = x.T @ g, g @ W.T
    """
    if view.account is None or affine(view):
        return
    truth = view.truth
    for name in truth.wrt:
        if name == view.name:
            continue
        for option, rate in truth.options.items():
            if not isinstance(rate, float) or rate == 0.0:
                continue

            def respond(g: Floats, name: str = name, rate: float = rate) -> Floats:
                step = (truth.jacobians[name].T @ g).reshape(np.shape(truth.inputs[name]))
                moved = view.measure({name: np.asarray(truth.inputs[name]) - rate * step})
                return moved.T @ g if moved is not None and moved.shape == view.J.shape else np.zeros(view.N)

            yield Prediction(
                f"{name} was already updated (by {option}) when the gradient of {view.name} was computed",
                "compute all gradients before any parameter is changed",
                respond=respond,
            )
