"""Forms over norms: layers that are a linear or quadratic form of the input over that power of its norm."""

from __future__ import annotations

import numpy as np

from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View

DEGREES = (1, 2)


def form_degree(view: View) -> int | None:
    """Return the degree of a form that, over the norm to that power, is the layer; remembered, ``None`` for others.

    x / ||x|| has degree 1, the quotient of Rayleigh x' A x / x' x degree 2. Held constant, such a norm leaves
    degree * y of the derivative along x, which is what the projection takes away. It is told by measuring: times the
    power of the norm the layer is a polynomial along any line.
    """
    known = view.memory.get("form degree", 0)
    if known == 0:
        known = view.memory["form degree"] = _form_degree(view)
    return known  # type: ignore[return-value]


def _form_degree(view: View) -> int | None:
    x = view.x.ravel()
    if view.N < 2 or not np.any(view.y) or not _still(view):
        return None
    rng = np.random.default_rng(17)
    line = 0.4 * np.sqrt(np.mean(x * x)) * rng.standard_normal(view.N)
    points = [x + step * line for step in range(max(DEGREES) + 2)]
    dtype = np.asarray(view.truth.inputs[view.name]).dtype
    values: list[Floats] = []
    for point in points:
        outputs = view.truth.forward({view.name: point.reshape(view.x.shape).astype(dtype)}, {})
        if outputs is None:
            return None
        values.append(np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in outputs]))
        if values[-1].shape != view.y.shape or not np.all(np.isfinite(values[-1])):
            return None
    inside = np.abs(view.J) > view.zero
    norms = [np.sqrt(inside @ (point * point)) for point in points]
    for degree in DEGREES:
        terms = np.stack([value * norm**degree for value, norm in zip(values, norms, strict=True)])
        bent = np.diff(terms, degree + 1, axis=0)
        if np.linalg.norm(bent) <= max(1e-9, 10 * view.grain) * np.linalg.norm(terms):
            return degree
    return None


def _still(view: View) -> bool:
    """Whether the scale of the input changes nothing."""
    x = view.x.ravel()
    size = float(np.linalg.norm(np.abs(view.J) @ np.abs(x)))
    return size > 0 and float(np.linalg.norm(view.J @ x)) <= max(1e-6, view.slack) * size


def projection(view: View) -> Floats | None:
    """Return what the projection adds to the Jacobian of such a layer, or ``None`` for others."""
    degree = form_degree(view)
    if degree is None:
        return None
    inside = (np.abs(view.J) > view.zero) * view.x.ravel()[None, :]
    size = (inside * inside).sum(axis=1)
    value: Floats = -degree * inside * (view.y / np.where(size > 0, size, 1.0))[:, None]
    return value
