"""Closed forms: the derivative of an elementwise layer as a simple expression of its output, or of its input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View

Map = Callable[[Floats], Floats]

#: What a saved output may have to be put through before the formula holds.
INVERSES: dict[str, Map] = {
    "exp(y)": np.exp,
    "y + 1": lambda y: y + 1.0,
    "y - 1": lambda y: y - 1.0,
    "exp(-y)": lambda y: np.exp(-y),
    "log(y)": np.log,
    "y^2": lambda y: y * y,
    "sqrt(y)": np.sqrt,
    "1/y": lambda y: 1.0 / y,
    "1 - y": lambda y: 1.0 - y,
    "2^y": lambda y: 2.0**y,
    "tanh(y)": np.tanh,
    "sin(y)": np.sin,
    "cos(y)": np.cos,
    "tan(y)": np.tan,
    "sinh(y)": np.sinh,
    "cosh(y)": np.cosh,
}

#: Formulas of one variable that backward passes are written with.
FORMULAS: dict[str, Map] = {
    "w": lambda w: w,
    "1 - w": lambda w: 1.0 - w,
    "1/w": lambda w: 1.0 / w,
    "w (1 - w)": lambda w: w * (1.0 - w),
    "1 - w^2": lambda w: 1.0 - w * w,
    "1 + w^2": lambda w: 1.0 + w * w,
    "1/w^2": lambda w: 1.0 / (w * w),
    "-1/w^2": lambda w: -1.0 / (w * w),
    "1/(2 w)": lambda w: 0.5 / w,
    "2 w": lambda w: 2.0 * w,
    "w^2": lambda w: w * w,
    "-w": lambda w: -w,
    "-w^2": lambda w: -w * w,
    "1/(1 + w^2)": lambda w: 1.0 / (1.0 + w * w),
    "1/sqrt(1 - w^2)": lambda w: 1.0 / np.sqrt(1.0 - w * w),
    "1/(1 + w)": lambda w: 1.0 / (1.0 + w),
}

#: Bases whose combinations are tried for the derivative as a function of the output.
BASES: tuple[tuple[Map, ...], ...] = (
    (np.ones_like, lambda w: w),
    (lambda w: w, lambda w: w * w),
    (np.ones_like, lambda w: w, lambda w: w * w),
    (lambda w: 1.0 / w,),
    (lambda w: 1.0 / (w * w),),
    (lambda w: w * w,),
    (lambda w: w**3,),
    (np.ones_like, np.exp),
    (np.ones_like, lambda w: np.exp(-w)),
    (np.exp,),
    (lambda w: np.exp(-w),),
    (np.cos,),
    (np.sqrt,),
    (lambda w: np.sqrt(1.0 + w * w),),
    (lambda w: np.sqrt(1.0 - w * w),),
)


@dataclass(frozen=True)
class Samples:
    """Inputs, outputs and derivatives of an elementwise layer at several points."""

    x: Floats
    y: Floats
    slope: Floats


def samples(view: View) -> Samples | None:
    """Gather the derivative at the case's inputs and at smaller ones; ``None`` if the layer is not elementwise."""
    if not view.elementwise or view.N == 0:
        return None
    known = view.memory.get("samples")
    if known is None:
        xs, ys, slopes = [view.x.ravel()], [view.y], [view.diagonal]
        for scale in (0.8, 0.55):
            moved = view.x * scale
            matrix, outputs = view.measure({view.name: moved}), view.truth.forward({view.name: moved}, {})
            if matrix is not None and outputs is not None and matrix.shape == view.J.shape:
                xs.append(moved.ravel())
                ys.append(np.asarray(outputs[0], dtype=np.float64).ravel())
                slopes.append(np.diag(matrix))
        view.memory["samples"] = known = Samples(np.concatenate(xs), np.concatenate(ys), np.concatenate(slopes))
    return known  # type: ignore[return-value]


def _values(basis: tuple[Map, ...], w: Floats) -> Floats | None:
    with np.errstate(all="ignore"):
        table = np.stack([part(w) for part in basis], axis=1)
    return table if np.all(np.isfinite(table)) else None


def _solve(basis: tuple[Map, ...], w: Floats, slope: Floats, slack: float) -> Floats | None:
    table = _values(basis, w)
    if table is None or len(w) < len(basis) + 3 or np.linalg.matrix_rank(table) < len(basis):
        return None
    weights, *_ = np.linalg.lstsq(table, slope, rcond=None)
    scale = np.abs(slope).max(initial=0.0)
    if scale == 0.0 or np.abs(table @ weights - slope).max() > slack * scale:
        return None
    return np.asarray(weights, dtype=np.float64)


def of_output(view: View) -> Iterator[Floats]:
    """Yield the derivative formula in terms of the output, evaluated at the input: phi(x) where f'(x) = phi(f(x)).

    The two branches x > 0 and x <= 0 may have different formulas.
    """
    known = samples(view)
    if known is None or np.ptp(known.slope) == 0:
        return
    x = view.x.ravel()
    branches = [np.ones(len(known.x), dtype=bool)] if np.all(known.x > 0) or np.all(known.x < 0) else []
    branches = branches or [known.x > 0, known.x <= 0]
    own = [np.ones(len(x), dtype=bool)] if len(branches) == 1 else [x > 0, x <= 0]
    for basis in BASES:
        whole = _solve(basis, known.y, known.slope, view.slack)
        at_input = _values(basis, x)
        if whole is not None and at_input is not None:
            yield at_input @ whole
            return
    formula = np.full(len(x), np.nan)
    for where, mine in zip(branches, own, strict=True):
        flat: tuple[Map, ...] = (np.ones_like,)
        for basis in (*BASES, flat):
            weights = _solve(basis, known.y[where], known.slope[where], view.slack)
            table = _values(basis, x[mine])
            if weights is not None and table is not None:
                formula[mine] = table @ weights
                break
    if np.all(np.isfinite(formula)):
        yield formula


def forgotten(view: View) -> Iterator[tuple[str, str, Floats]]:
    """Yield psi(y) where f'(x) = psi(m(y)): the formula with the output that should have been put through m first."""
    known = samples(view)
    if known is None or np.ptp(known.slope) == 0:
        return
    for inverse, m in INVERSES.items():
        for formula, psi in FORMULAS.items():
            with np.errstate(all="ignore"):
                right, wrong = psi(m(known.y)), psi(view.y)
            scale = np.abs(known.slope).max()
            fits = np.all(np.isfinite(right)) and np.all(np.abs(right - known.slope) < view.slack * scale)
            if fits and np.all(np.isfinite(wrong)):
                yield inverse, formula.replace("w", "y"), wrong
