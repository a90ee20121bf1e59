"""Paths that take more than the Jacobian to see: quotients, and factors that an option switches off."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.functions import Function, equals, evaluate, library
from gradcheck.rules.truth import Array, Floats
from gradcheck.rules.view import View


def linear_fractional(view: View) -> tuple[Floats, Floats] | None:
    """Split the Jacobian of a layer y = u / v with u and v affine in every single entry of x.

    Along one entry such a layer is (y + p h) / (1 + q h): p and q follow from two evaluations at finite h, and a third
    one must agree. Then J = p - y q, p being what comes from u, and - y q what comes from v.

    Returns
    -------
    tuple or None
        The two parts, ``(M, N)`` each; ``None`` if the layer is not of that kind.
    """
    known = view.memory.get("fractional", 0)
    if known != 0:
        return known  # type: ignore[return-value]
    view.memory["fractional"] = found = _fractional(view)
    return found


def growth(view: View) -> Floats | None:
    """Return q of :func:`linear_fractional`: by what share the denominator of every output grows with every entry."""
    return None if linear_fractional(view) is None else view.memory["growth"]  # type: ignore[return-value]


def _fractional(view: View) -> tuple[Floats, Floats] | None:
    if np.any(np.asarray(view.truth.inputs[view.name]).dtype.kind not in "f") or view.N > 400:
        return None
    top, bottom, shares = np.zeros_like(view.J), np.zeros_like(view.J), np.zeros_like(view.J)
    step = 0.04 + 0.1 * float(np.median(np.abs(view.x))) if view.N else 0.1
    for column in range(view.N):
        values = [_moved(view, column, h) for h in (step, 2 * step, 3 * step)]
        if any(value is None for value in values):
            return None
        first, second, third = (np.asarray(value) for value in values)
        # (y + p h) = Y (1 + q h) for two h: solve for p and q
        with np.errstate(all="ignore"):
            q = ((second - view.y) / (2 * step) - (first - view.y) / step) / (first - second)
        q = np.where(np.abs(first - second) > 1e-9 * (np.abs(view.y) + 1e-12), q, 0.0)
        p = (first - view.y) / step + first * q
        with np.errstate(all="ignore"):
            guess = (view.y + 3 * step * p) / (1 + 3 * step * q)
        if not np.all(np.isfinite(guess)) or np.abs(guess - third).max() > 1e-8 * (np.abs(third).max() + 1e-12):
            return None
        top[:, column], bottom[:, column], shares[:, column] = p, -view.y * q, q
    if np.linalg.norm(bottom) < 1e-4 * np.linalg.norm(view.J):
        return None
    view.memory["growth"] = shares
    return top, bottom


def _moved(view: View, column: int, step: float) -> Floats | None:
    x = view.x.copy()
    x.flat[column] += step
    outputs = view.truth.forward({view.name: x}, {})
    if outputs is None:
        return None
    y = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in outputs])
    return y if y.shape == view.y.shape and np.all(np.isfinite(y)) else None


def quotients(view: View) -> Iterator[tuple[Function, Function, Floats, Floats, Floats, Floats]]:
    """Yield known functions u, v with y = u / v for an elementwise layer, and u, u', v, v' at the input."""
    if not view.elementwise or view.N < 3:
        return
    x = view.x.ravel()
    one = Function("1", np.ones_like, np.zeros_like)
    words = [one, *library(view.truth.options)]
    values = [(f, evaluate(f.f, x), evaluate(f.df, x)) for f in words]
    for top, u, du in values:
        for bottom, v, dv in values:
            if u is None or du is None or v is None or dv is None or np.any(v == 0) or np.ptp(v) == 0 or top is bottom:
                continue
            if equals(u / v, view.y, view.grain):
                yield top, bottom, u, du, v, dv


def compositions(view: View) -> Iterator[tuple[Function, Function, Floats, Floats, Floats]]:
    """Yield known functions u, v with y = u(v(x)) for an elementwise layer, and v(x), u'(v(x)), v'(x)."""
    if not view.elementwise or view.N < 3:
        return
    x = view.x.ravel()
    words = library(view.truth.options)
    for inner in words:
        v, dv = evaluate(inner.f, x), evaluate(inner.df, x)
        if v is None or dv is None or inner.label == "x":
            continue
        for outer in words:
            if outer.label == "x":
                continue
            y = evaluate(outer.f, v)
            if y is not None and equals(y, view.y, view.grain):
                slope = evaluate(outer.df, v)
                if slope is not None:
                    yield outer, inner, v, slope, dv


def alone(view: View, sample: int) -> dict[str, Array]:
    """Return the inputs that share the leading axis of x, cut down to one sample."""
    count = view.x.shape[0]
    return {
        name: np.asarray(value)[sample : sample + 1]
        for name, value in view.truth.inputs.items()
        if np.ndim(value) and np.shape(value)[0] == count
    }


def modulated(view: View) -> Iterator[tuple[str, Floats]]:
    """Yield the Jacobian with a factor held constant that an option of 0 switches off: J(option = 0) times the factor.

    The factor is the output over the output without it, per output, or per sample where the output is their mean.
    """
    for option, value in view.truth.options.items():
        if not isinstance(value, float) or value == 0.0:
            continue
        plain = view.measure(options={option: 0.0})
        if plain is None or plain.shape != view.J.shape:
            continue
        without = view.truth.forward({}, {option: 0.0})
        if without is None:
            continue
        y = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in without])
        if view.M > 1:
            with np.errstate(all="ignore"):
                factor = view.y / y
            if np.all(np.isfinite(factor)):
                yield option, plain * factor[:, None]
        elif view.x.ndim:
            factors = [_factor(view, sample, option) for sample in range(view.x.shape[0])]
            if factors and all(part is not None for part in factors):
                per_entry = np.repeat(np.asarray(factors, dtype=np.float64), view.N // len(factors))
                yield option, plain * per_entry[None, :]


def _factor(view: View, sample: int, option: str) -> float | None:
    inputs = alone(view, sample)
    first, second = view.truth.forward(inputs, {}), view.truth.forward(inputs, {option: 0.0})
    if first is None or second is None or np.size(first[0]) != 1 or np.size(second[0]) != 1:
        return None
    below = float(np.asarray(second[0]).ravel()[0])
    return float(np.asarray(first[0]).ravel()[0]) / below if below else None
