"""Norms that the forward divides by: the projection, and the powers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.homogeneity import form_degree
from gradcheck.rules.invariance import lost, power_off
from gradcheck.rules.normalisation import _without
from gradcheck.rules.paths import Path, splits
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@rule("norm-treated-as-constant", "normalisation", 9)
def norm_constant(view: View) -> Iterator[Prediction]:
    """The norm that x is divided by is treated as a constant: the projection is missing.

    How it comes about: x / ||x|| is differentiated as if ||x|| were a number (cosine similarity, weight
    normalisation, RMS normalisation).

    Formula: a = g / ||x|| where the truth is (g - y (y . g)) / ||x||.

    Hidden when: the upstream is orthogonal to x.

    Mended: subtract the projection on y; as the layer does not change with the scale of x, a . x must be 0.

    Wrong::

        dx = g / n

    Right::

        dx = (g - y * (g * y).sum(-1, keepdims=True)) / n
    """
    message = "the norm was treated as a constant: the projection on the output is missing"
    remedy = "subtract the projection, so that the gradient is orthogonal to the input"
    yield from _without(view, ("projection",), message, remedy)
    for part in lost(view):
        if part.kind == "scale" and not part.shifts and part.kept is not None and abs(part.kept) < 1e-3:
            seen_in: dict[str, Plain] = {"entries of a slice": part.size, "rest of the error": part.residual}
            yield Prediction(message, remedy, explained=0.0, rank=8, evidence=seen_in)
    x = view.x.ravel()
    if (
        view.alike
        or view.x.ndim == 0
        or np.linalg.norm(view.J @ x) > max(1e-4, view.slack) * np.linalg.norm(np.abs(view.J) @ np.abs(x))
    ):
        return
    # J x = 0: with the norm held constant a layer that is linear in x along x returns y for it, a square twice that
    degree = form_degree(view) or 1
    inside = (np.abs(view.J) > view.zero) * x[None, :]
    size = (inside * inside).sum(axis=1)
    matrix = view.J + inside * (degree * view.y / np.where(size > 0, size, 1.0))[:, None]
    yield Prediction(message, remedy, jacobian=matrix, usual=True, evidence={"checked": "J x = 0"})
    if view.A is not None and view.M > 1:
        seen = view.A @ x
        off = distance(seen, degree * view.y)
        if off < view.tolerance and np.any(view.y):
            evidence: dict[str, Plain] = {"checked": f"A x = {'' if degree == 1 else f'{degree} '}y, J x = 0"}
            yield Prediction(message, remedy, explained=off, rank=3, evidence=evidence)


@rule("norm-power-wrong", "normalisation", 13)
def norm_power(view: View) -> Iterator[Prediction]:
    """A norm or scale appears with a wrong power in one term.

    How it comes about: the forms of the gradient in terms of x and in terms of y = x / ||x|| are mixed, so that one
    term is divided by the norm once too often.

    Formula: a = t + (n^p - n^q) term.

    Hidden when: the norm is 1.

    Mended: write every term with y, or every term with x, and count the powers: scaling x by 2 must scale the
    gradient by the right power of 2.

    Wrong::

        dx = (g - y * (g * y).sum() / n) / n

    Right::

        dx = (g - y * (g * y).sum()) / n
    """
    remedy = "count the powers of the norm: scale x by 2 and see what every term does"
    norms = _norms(view)
    for split in splits(view):
        if not any(path.kind in ("projection", "variance") for path in split.paths):
            continue
        for power in (-1.0, 1.0, -2.0, 2.0):
            for label, norm in norms.items():
                matrix = sum(
                    (
                        path.matrix * (norm**power)[:, None] if path.kind in ("projection", "variance") else path.matrix
                        for path in split.paths
                    ),
                    np.zeros_like(view.J),
                )
                yield Prediction(
                    f"the power of {label} is wrong by {power:g} in one term",
                    remedy,
                    jacobian=matrix,
                    usual=power == -1.0,
                )
    yield from _fitted_powers(view, norms, remedy)
    off = power_off(view)
    if off is not None:
        text = f"a term is wrong by the power {off:g} of the scale of {view.name}, which the layer does not depend on"
        yield Prediction(text, remedy, explained=0.0, rank=45, evidence={"power": off})
    if _is_norm(view):
        for power in (-1.0, 1.0, -2.0, 2.0):
            text = f"the gradient carries the norm, which is the output, with a power that is wrong by {power:g}"
            yield Prediction(text, remedy, jacobian=view.J * (view.y**power)[:, None], rank=3)
    for power in (-1.0, 1.0, -2.0, 2.0):
        for label, norm in norms.items():
            yield Prediction(
                f"the gradient carries {label} with a power that is wrong by {power:g}",
                remedy,
                jacobian=view.J * norm**power if view.M == 1 else view.J * (norm**power)[None, :],
                rank=12,
            )


def _is_norm(view: View) -> bool:
    """Whether the outputs are norms of slices of the input: as large as it, positive, blind to signs."""
    if view.account is None or view.alike or view.M < 3 or np.any(view.y <= 0) or view.N < 2 * view.M:
        return False
    signs = np.where(np.arange(view.N) % 3, 1.0, -1.0).reshape(view.x.shape)
    turned = view.truth.forward({view.name: signs * view.x}, {})
    if turned is None or len(turned) != 1 or np.shape(turned[0]) != view.shapes[0]:
        return False
    even = np.allclose(np.ravel(turned[0]), view.y, rtol=view.grain, atol=0.0)
    # a mean of factors is as large as they are too, and nothing where one of them is
    emptied = view.truth.forward({view.name: np.where(signs > 0, view.x, 0.0)}, {})
    if emptied is None or np.any(np.ravel(emptied[0]) < 1e-6 * view.y):
        return False
    return even and distance(view.J @ view.x.ravel(), view.y) < max(1e-5, view.slack)


def _fitted_powers(view: View, norms: dict[str, Floats], remedy: str) -> Iterator[Prediction]:
    """One term is scaled by another number in every slice, and that is nearly a power of a norm (but for epsilon)."""
    if view.A is None or view.offset.any() or not np.all(np.isfinite(view.A)) or not view.blocks:
        return
    for split in splits(view):
        for path in split.paths:
            if path.kind not in ("projection", "variance"):
                continue
            shares = np.ones(view.N)
            for rows, columns in view.blocks:
                part = path.matrix[np.ix_(rows, columns)]
                rest = (view.A - view.J)[np.ix_(rows, columns)]
                shares[rows] = 1.0 + float(np.vdot(part, rest)) / max(float(np.vdot(part, part)), 1e-300)
            matrix = view.J + (shares - 1.0)[:, None] * path.matrix
            yield from _power_of_direct(view, path, remedy)
            for label, norm in norms.items():
                for power in (-1.0, 1.0, -2.0, 2.0):
                    if np.all(np.abs(shares / norm**power - 1.0) < 0.02) and np.ptp(norm) > 0.02 * norm.max():
                        text = f"the power of {label} is wrong by {power:g} in {path.label}"
                        yield Prediction(text, remedy, jacobian=matrix, free=len(view.blocks), rank=1)


def _power_of_direct(view: View, path: Path, remedy: str) -> Iterator[Prediction]:
    """One term is scaled, row by row, by a power of the factor of the direct path (which is a power of the scale)."""
    shape = view.anatomy
    if shape is None or view.A is None or view.N < 4 or np.any(shape.d <= 0):
        return
    size = (path.matrix * path.matrix).sum(axis=1)
    usable = size > 1e-12 * size.max()
    with np.errstate(all="ignore"):
        shares = 1.0 + ((view.A - view.J) * path.matrix).sum(axis=1) / size
    logs = np.log(shape.d[usable])
    if np.any(shares[usable] <= 0) or np.ptp(logs) < 1e-2:
        return
    power = float(logs @ np.log(shares[usable])) / float(logs @ logs)
    if abs(power) > 1e-2:
        matrix = view.J + (shape.d**power - 1.0)[:, None] * path.matrix
        text = f"{path.label} is scaled by the power {power:.3g} of the factor of the direct path"
        yield Prediction(text, remedy, jacobian=matrix, free=1, rank=2, evidence={"power": power})


def _norms(view: View) -> dict[str, Floats]:
    """Norms of the slices of x, spread over its entries."""
    if not view.alike or not view.coupled:
        return {}
    x = view.x.ravel()
    found = {
        "the norm": np.ones(view.N),
        "the standard deviation": np.ones(view.N),
        "the root mean square": np.ones(view.N),
    }
    found["the sum of absolute values"] = np.ones(view.N)
    for rows, _ in view.blocks:
        part = x[rows]
        found["the norm"][rows] = np.linalg.norm(part)
        found["the standard deviation"][rows] = part.std()
        found["the root mean square"][rows] = np.sqrt(np.mean(part * part))
        found["the sum of absolute values"][rows] = np.abs(part).sum()
    return {label: norm for label, norm in found.items() if np.all(norm > 0)}
