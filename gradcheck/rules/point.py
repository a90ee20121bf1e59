"""The right formula at the wrong point, or the formula of another function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from gradcheck.rules.anatomy import Anatomy, Term
from gradcheck.rules.closed import forgotten, of_output
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View, kinds


def diagonal_seen(view: View) -> Floats | None:
    """Return the diagonal of what an elementwise layer's backward implies, if there is nothing else in it."""
    if not view.elementwise or view.A is None or view.offset.any() or not np.all(np.isfinite(view.A)):
        return None
    seen = np.diag(view.A)
    return seen.copy() if not np.any(view.A - np.diag(seen)) else None


@rule("derivative-evaluated-at-output", "point", 13)
def derivative_at_output(view: View) -> Iterator[Prediction]:
    """The derivative is evaluated at the output, f'(f(x)) instead of f'(x).

    How it comes about: the derivative function expects what went into the activation and is handed what came out.

    Formula: a = f'(f(x)) g.

    Hidden when: x is a fixed point of f; for ReLU it does no harm at all.

    Mended: keep the input in the forward, or write the derivative in terms of the output, y (1 - y).

    Wrong::

        y = sigmoid(x); return g * dsigmoid(y)        # dsigmoid(v) = sigmoid(v) * (1 - sigmoid(v))

    Right::

        return g * dsigmoid(x)
    """
    if view.alike:
        matrix = view.measure({view.name: view.y.reshape(view.x.shape)})
        if matrix is not None and matrix.shape == view.J.shape:
            yield Prediction(
                "the derivative was evaluated at the output instead of at the input",
                "evaluate the derivative at the input, or use its form in terms of the output",
                jacobian=matrix,
                usual=True,
            )
        elif matrix is None:
            yield from _where_defined(view)


def _where_defined(view: View) -> Iterator[Prediction]:
    """Some outputs are outside of the function's domain: compare where f'(y) exists, as for log y and y < 0."""
    seen = diagonal_seen(view)
    outputs = view.truth.forward({view.name: view.y.reshape(view.x.shape)}, {})
    if seen is None or outputs is None or np.size(outputs[0]) != view.N:
        return
    inside = np.isfinite(np.asarray(outputs[0], dtype=np.float64).ravel())
    mixed = np.where(inside, view.y, view.x.ravel()).reshape(view.x.shape)
    other = view.measure({view.name: mixed})
    if other is None or other.shape != view.J.shape or inside.all():
        return
    slope = np.diag(other)
    if inside.sum() >= 3 and kinds(seen[inside], 1e-3 * np.abs(seen[inside]).max()) >= 3:
        yield Prediction(
            f"the derivative was evaluated at the output, in the {int(inside.sum())} entries where that is possible",
            "evaluate the derivative at the input, or use its form in terms of the output",
            explained=distance(seen[inside], slope[inside]),
            rank=2,
            evidence={"outside of the domain": int(view.N - inside.sum())},
        )


@rule("input-used-for-output", "point", 14)
def input_for_output(view: View) -> Iterator[Prediction]:
    """A formula in terms of the output is fed with the input.

    How it comes about: 1 - y^2 is right for y = tanh(x); the variable at hand is x.

    Formula: a = phi(x) g where the truth is phi(f(x)) g.

    Hidden when: x is small (tanh x is about x), or equals its own output.

    Mended: use the output.

    Wrong::

        return g * (1 - x ** 2)                       # forward: tanh(x)

    Right::

        y = np.tanh(x); return g * (1 - y ** 2)
    """
    message = "a formula that is meant for the output was fed with the input"
    remedy = "put the output into it, not the input"
    for slope in of_output(view):
        yield Prediction(message, remedy, jacobian=np.diag(slope), usual=True)
    shape = view.anatomy
    if shape is None or len(shape.terms) != 1:
        return
    x = view.x.ravel()
    for variant in _replaced(view, shape, x, np.exp(np.minimum(x, 700.0))):
        yield Prediction(message, remedy, jacobian=variant.compose(), usual=view.account is None)


def _replaced(view: View, shape: Anatomy, for_y: Floats, for_exp: Floats) -> Iterator[Anatomy]:
    """Replace the output, wherever it is found in the diagonal and the outer product, by another array."""
    (term,) = shape.terms
    versions = [_versions(view, part, for_y, for_exp) for part in (shape.d, term.inside, term.outside)]
    for d, inside, outside in list(product(*versions))[1:]:
        yield replace(shape, d=d, terms=(Term(inside, outside, term.label),))


def _versions(view: View, part: Floats, for_y: Floats, for_exp: Floats) -> list[Floats]:
    """Return a vector itself, and with y (or exp y) in it replaced."""
    found = [part]
    with np.errstate(all="ignore"):
        pairs = ((view.y, for_y), (np.exp(np.minimum(view.y, 700.0)), for_exp))
    for word, other in pairs:
        size = float(word @ word)
        share = float(word @ part) / size if size else 0.0
        if share and np.ptp(word) > 0 and distance(part, share * word) < view.slack and np.all(np.isfinite(other)):
            found.append(share * other)
    return found


@rule("output-used-without-inverse-map", "point", 12)
def output_without_map(view: View) -> Iterator[Prediction]:
    """The saved output is used where a function of it is needed: exp(y), or y + 1.

    How it comes about: the backward of softmax (of exp) is copied to log-softmax (to expm1), whose output is another.

    Formula: a = g - y sum(g) where the truth is g - exp(y) sum(g); a = g y where the truth is g (y + 1).

    Hidden when: the upstream's slices sum to zero; for expm1, x is large.

    Mended: bring the output back to what the formula is written for.

    Wrong::

        return g - y * g.sum(-1, keepdims=True)       # y = log_softmax(x)

    Right::

        return g - np.exp(y) * g.sum(-1, keepdims=True)
    """
    for inverse, formula, slope in forgotten(view):
        yield Prediction(
            f"{formula} was returned with the output y in it, where {inverse} belongs",
            f"use {inverse} in the place of y",
            jacobian=np.diag(slope),
            # a map that nobody would forget: rather was the derivative evaluated at the output
            rank=0 if inverse in ("exp(y)", "y + 1", "y - 1") else 2,
            usual=True,
        )
    yield from _without_constant(view)
    shape = view.anatomy
    if shape is not None and len(shape.terms) == 1 and shape.terms[0].label == "exp(y)":
        term = replace(shape.terms[0], outside=view.y)
        yield Prediction(
            "the output y was used where exp(y) belongs",
            "use exp(y) in the place of y",
            jacobian=shape.swap(term).compose(),
            usual=True,
        )


def _without_constant(view: View) -> Iterator[Prediction]:
    """On one branch the derivative is y + c, as that of ELU or SELU, and y was returned."""
    seen = diagonal_seen(view)
    if seen is None:
        return
    true, y = view.diagonal, view.y
    bad = np.abs(seen - true) > 10 * view.slack * np.abs(true).max(initial=0.0)
    start = view.truth.forward({view.name: np.zeros_like(view.x)}, {})
    if bad.sum() < 3 or bad.all() or kinds(seen[bad], 1e-3 * np.abs(seen[bad]).max()) < 3 or start is None:
        return
    shift = true[bad] - y[bad]
    if np.ptp(shift) > 10 * view.slack * np.abs(true).max():
        return
    for label, base in (("y", np.zeros(view.N)), ("y less its value at 0", np.ravel(start[0]))):
        off = distance(seen[bad], (y - base)[bad])
        if off < view.tolerance:
            text = f"{label} was returned for {int(bad.sum())} entries whose derivative is that and a constant"
            remedy = f"add the constant: the derivative there is y + {float(np.median(shift)):.6g}"
            yield Prediction(text, remedy, explained=off, rank=0, evidence={"entries": int(bad.sum())})
            return


@rule("straight-through-estimator", "point", 8)
def straight_through(view: View) -> Iterator[Prediction]:
    """The upstream is passed through a function that is piecewise constant.

    How it comes about: rounding and quantisation have a derivative of zero, with which nothing could be trained; so the
    identity is returned, on purpose.

    Formula: a = g, where the truth is 0.

    Hidden when: never.

    Mended: it is mostly meant; say so in the case (``expect: {fail: straight-through-estimator}``).

    Wrong::

        return g                                      # forward: np.round(x)

    Right::

        return np.zeros_like(g)
    """
    if not view.alike or view.J.any() or view.N == 0:
        return
    remedy = "if it is meant, expect it in the case; the derivative itself is 0"
    yield Prediction(
        "the upstream was passed straight through a function that is piecewise constant",
        remedy,
        jacobian=np.eye(view.N),
        usual=_moves(view),
    )
    if view.A is not None and not view.offset.any():
        seen = np.diag(view.A)
        if set(np.unique(seen)) <= {0.0, 1.0} and seen.any() and not np.any(view.A - np.diag(seen)):
            yield Prediction(
                "the upstream was passed straight through a function that is piecewise constant, inside a range",
                remedy,
                jacobian=np.diag(seen),
                rank=1,
            )


def _moves(view: View) -> bool:
    """Whether the output changes over long distances, though its derivative is zero."""
    outputs = view.truth.forward({view.name: 0.3 * view.x}, {})
    return outputs is not None and not np.array_equal(np.ravel(outputs[0]), view.y)
