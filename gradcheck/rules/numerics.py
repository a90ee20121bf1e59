"""Numbers that do not survive: truncation, underflow, overflow, and points where a formula breaks down."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


def raw(view: View) -> np.ndarray | None:
    """Return the gradient as the backward returned it, whatever is in it."""
    if view.account is None:
        return None
    seen = view.account.gradients.get(view.name)
    return None if seen is None else np.asarray(seen)


@rule("dtype-truncation", "numerics", 4)
def dtype_truncation(view: View) -> Iterator[Prediction]:
    """The gradient is cut to whole numbers.

    How it comes about: ``np.zeros_like(x)`` with integers in x; an integer power; a cast to int.

    Formula: a = trunc(J^T g), or zeros.

    Hidden when: the inputs are floats, or the upstream is large.

    Mended: allocate with ``np.zeros(x.shape)``, and compute in floats.

    Wrong::

        dx = np.zeros_like(x)                         # x is an array of integers

    Right::

        dx = np.zeros(x.shape)
    """
    remedy = "allocate the gradient as floats, whatever the dtype of the input"
    J = view.J
    whole = any(np.asarray(v).dtype.kind in "iu" for v in view.truth.inputs.values())
    if view.account is None:
        if np.asarray(view.truth.inputs[view.name]).dtype.kind in "iu":
            yield Prediction("cut to whole numbers", remedy, respond=lambda g: np.trunc(J.T @ g), usual=True)
        elif whole:
            yield Prediction("cut to whole numbers", remedy, jacobian=np.trunc(np.round(J, 9)), usual=True)
        return
    for label, cut in (("cut", np.trunc), ("rounded down", np.floor), ("rounded", np.rint)):
        text = f"the gradient is {label} to whole numbers"
        yield Prediction(text, remedy, respond=_cutting(J, cut), rank=0 if cut is np.trunc else 1)
        if whole:
            yield Prediction(f"a factor is {label} to whole numbers", remedy, jacobian=cut(np.round(J, 9)), rank=2)
    seen = raw(view)
    if seen is not None and seen.dtype.kind in "iu" and view.t.any():
        value = distance(seen.astype(np.float64).ravel(), np.trunc(view.t)) if seen.shape == view.x.shape else 1.0
        if value < 0.5:
            yield Prediction("the gradient is returned as whole numbers", remedy, explained=0.0, rank=3)


def _cutting(J: Floats, cut: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda g: cut(J.T @ g)


@rule("low-precision-underflow", "numerics", 8)
def low_precision(view: View) -> Iterator[Prediction]:
    """Half precision inside the backward: small upstreams vanish, or come out in steps.

    How it comes about: a cast to float16, or a count that is kept in it.

    Formula: a(1e-6 g) is not 1e-6 a(g).

    Hidden when: the upstream is of order 1.

    Mended: compute in the precision of the inputs, or scale the loss.

    Wrong::

        return (g.astype(np.float16) * y).astype(x.dtype)

    Right::

        return g * y
    """
    if view.account is None:
        J = view.J
        # a factor beyond the range of half precision, as a true loss scale would be, shows it
        yield Prediction(
            "half precision", "", respond=lambda g: (J.T @ g.astype(np.float16)).astype(np.float64), usual=True
        )
        return
    if view.a is None or not np.any(np.isfinite(view.a)) or view.offset.any():
        return
    unit = view.g / max(float(np.abs(view.g).max(initial=0.0)), 1e-300)
    small, plain = view.respond(1e-7 * unit), view.respond(unit)
    if small is None or plain is None:
        return
    far, near = distance(small * 1e7, view.J.T @ unit), distance(plain, view.J.T @ unit)
    if far > 1e-2 and far > 20 * near and near < 5e-3:
        yield Prediction(
            "small upstreams vanish: the backward computes in half precision",
            "compute in the precision of the inputs",
            explained=0.0,
            evidence={"error for a small upstream": far, "error for one of order 1": near},
        )
    elif far > 1e-2 and not view.a.any():
        bigger = view.respond(1e6 * view.g)
        if bigger is not None and distance(bigger, 1e6 * view.t) < 1e-2:
            yield Prediction(
                "the gradient underflows to zero: the backward computes in half precision",
                "compute in the precision of the inputs",
                explained=0.0,
            )


def _bends(view: View) -> bool:
    """Whether the Jacobian depends on the input."""
    other = view.measure({view.name: 0.7 * view.x})
    return other is not None and other.shape == view.J.shape and distance(other, view.J) > 1e-3


def _broken(view: View) -> np.ndarray | None:
    """Return which entries of the gradient are not finite though the truth is."""
    seen = raw(view)
    if seen is None or seen.shape != view.x.shape or seen.dtype.kind != "f":
        return None
    bad = ~np.isfinite(seen.ravel()) & np.isfinite(view.t)
    return bad if bad.any() else None


@rule("unstable-backward-overflow", "numerics", 6)
def unstable_overflow(view: View) -> Iterator[Prediction]:
    """The backward overflows where the forward is stable: exp without a shift, exp / (1 + exp).

    How it comes about: the forward subtracts the maximum, the backward computes exp(x) anew.

    Formula: inf / inf = nan at large inputs.

    Hidden when: the inputs are moderate.

    Mended: use the forward's shifted form, exp(x - y).

    Wrong::

        e = np.exp(x); return g * e / e.sum()

    Right::

        return g * np.exp(x - logsumexp(x))
    """
    if view.account is None and _bends(view):
        large = float(np.abs(view.x).max(initial=0.0)) >= 500.0
        yield Prediction("overflow at large inputs", "", explained=float(large), usual=True)
    bad = _broken(view)
    if bad is None or view.account is None:
        return
    scale = float(np.abs(view.x).max(initial=0.0))
    if scale < 20.0:
        return
    answer = view.account.elsewhere({view.name: view.x / scale}, {}, None)
    seen = None if answer is None else answer[0].get(view.name)
    if seen is not None and np.all(np.isfinite(np.asarray(seen, dtype=np.float64))):
        yield Prediction(
            f"{int(bad.sum())} entries are not finite at inputs of up to {scale:.3g}, and finite at small inputs",
            "shift before exp, or use the saved output of the forward",
            explained=0.0,
            evidence={"entries": int(bad.sum())},
        )


@rule("nan-at-special-point", "numerics", 7)
def nan_at_special_point(view: View) -> Iterator[Prediction]:
    """The formula of the backward breaks down at a point where the derivative is finite: 0 log 0, x / ||x|| at 0.

    How it comes about: log(x), 1 / x or a norm appears in the derivative, and is 0 there.

    Formula: nan (or inf) exactly where an input is 0, or where a norm is.

    Hidden when: no input is exactly zero.

    Mended: guard the special point: ``np.where(x > 0, ..., 0)``, with a safe argument inside.

    Wrong::

        return g * x ** y * np.log(x)

    Right::

        safe = np.where(x > 0, x, 1); return g * np.where(x > 0, x ** y * np.log(safe), 0)
    """
    if view.account is None and _bends(view):
        values = [np.asarray(v) for v in view.truth.inputs.values()]
        zero = any(v.dtype.kind == "f" and np.any(v == 0) for v in values)
        yield Prediction("not finite at zero", "", explained=float(zero), usual=True)
    bad = _broken(view)
    if bad is None or view.account is None:
        return
    zeros = [
        name for name, v in view.truth.inputs.items() if np.asarray(v).dtype.kind in "f" and np.any(np.asarray(v) == 0)
    ]
    nudged = {name: np.where(np.asarray(view.truth.inputs[name]) == 0, 0.37, view.truth.inputs[name]) for name in zeros}
    answer = view.account.elsewhere(nudged, {}, None) if zeros else None
    seen = None if answer is None else answer[0].get(view.name)
    cured = seen is not None and bool(np.all(np.isfinite(np.asarray(seen, dtype=np.float64))))
    where = f"where {', '.join(zeros)} is 0" if cured else "there"
    yield Prediction(
        f"{int(bad.sum())} entries are not finite though the derivative is finite {where}",
        "guard the special point, with a safe argument inside the guard",
        explained=0.0,
        rank=0 if cured else 20,
        evidence={"entries": int(bad.sum())},
    )


def _factors(view: View) -> bool:
    """Whether every output is a product with each of its inputs as a factor: J[i, j] x[j] = y[i]."""
    linked = np.abs(view.J) > view.zero
    several = linked.sum(axis=1).max(initial=0) > 1
    product = np.where(linked, view.J * view.x.ravel()[None, :], view.y[:, None])
    scale = np.abs(view.y).max(initial=0.0)
    return bool(several and np.abs(product - view.y[:, None]).max() < view.slack * max(scale, 1e-300))


@rule("division-by-input-at-zero", "numerics", 9)
def division_at_zero(view: View) -> Iterator[Prediction]:
    """A product is divided by the input to leave one factor out, which fails where the input is 0.

    How it comes about: d prod(x) / dx_i is written as prod(x) / x_i; the nan is replaced by 0.

    Formula: a = 0 where x = 0 and the truth is not.

    Hidden when: no input is zero.

    Mended: multiply the other factors (products from both ends).

    Wrong::

        return g * np.nan_to_num(y / x)

    Right::

        return g * before * after                     # exclusive products from the left and from the right
    """
    x = view.x.ravel()
    zero = x == 0
    message = "entries that are 0 have no gradient: a product was divided by the input"
    remedy = "multiply the other factors instead of dividing by this one"
    if zero.any():
        some = np.abs(view.J[:, zero]).max(initial=0.0) > view.zero
        if some:
            matrix = np.where(zero[None, :], 0.0, view.J)
            yield Prediction(message, remedy, jacobian=matrix, usual=_factors(view))
    elif view.account is None and _factors(view):
        yield Prediction(message, remedy, jacobian=view.J, usual=True)
    if view.A is None or view.offset.any() or not zero.any() or not np.all(np.isfinite(view.A)):
        return
    bad = np.abs(view.A - view.J) > 100 * view.zero + 0.1 * view.slack * np.abs(view.J).max(initial=0.0)
    if not bad.any():
        return
    uses = np.abs(view.J) > view.zero
    reached = (uses & zero[None, :]).any(axis=1)
    if not np.any(bad[~reached]) and not view.A[bad].any() and bad.any(axis=0)[zero].any():
        yield Prediction(message, remedy, explained=0.0, rank=3)
