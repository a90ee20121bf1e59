"""Ratios of what the backward implies to the truth: one for all, one per output entry, one per input entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.predictions import distance
from gradcheck.rules.quantities import Situation
from gradcheck.rules.truth import Array, Floats
from gradcheck.rules.view import View


def constant(view: View) -> float | None:
    """Return c with A = c J (or a = c t where A is unknown), or ``None``."""
    if view.offset.any():
        return None
    seen, true = (view.A, view.J) if view.A is not None else (view.a, view.t)
    return None if seen is None else _scale(seen, true, view.tolerance)


def _scale(seen: Floats, true: Floats, tolerance: float) -> float | None:
    size = float(np.vdot(true, true))
    if size == 0.0 or true.size < 1 or not np.all(np.isfinite(seen)):
        return None
    factor = float(np.vdot(true, seen)) / size
    return factor if factor != 0.0 and distance(seen, factor * true) < tolerance else None


def one_output(view: View) -> tuple[float, Floats, tuple[int, ...]] | None:
    """Return c, where some outputs of several are off by a factor c and the others right, the Jacobian, and which."""
    if view.A is None or view.offset.any() or len(view.shapes) < 2:
        return None
    ratios = [
        _scale(view.A[rows], view.J[rows], view.tolerance) if view.J[rows].any() else 1.0 for rows in view.sections
    ]
    off = tuple(place for place, ratio in enumerate(ratios) if ratio is not None and abs(ratio - 1) > 10 * view.slack)
    if any(ratio is None for ratio in ratios) or not off or len(off) == len(ratios):
        return None
    factor = float(ratios[off[0]] or 0.0)
    live = sum(np.count_nonzero(np.abs(view.J[view.sections[place]]) > view.zero) for place in off)
    if live < 3 or any(abs(float(ratios[place] or 0.0) - factor) > 10 * view.slack * abs(factor) for place in off):
        return None
    matrix = view.J.copy()
    for place in off:
        matrix[view.sections[place]] *= factor
    return factor, matrix, off


def by_column(view: View) -> Floats | None:
    """Return c of shape ``(N,)`` with A = J diag(c); nan where a column of both is zero. ``None`` if there is none."""
    return None if view.A is None or view.offset.any() else _columns(view.A, view.J, view)


def by_row(view: View) -> Floats | None:
    """Return c of shape ``(M,)`` with A = diag(c) J; nan where a row of both is zero. ``None`` if there is none."""
    return None if view.A is None or view.offset.any() else _columns(view.A.T, view.J.T, view)


def _columns(seen: Floats, true: Floats, view: View) -> Floats | None:
    if not np.all(np.isfinite(seen)):
        return None
    size = (true * true).sum(axis=0)
    strong = np.sqrt(size) > view.zero
    with np.errstate(all="ignore"):
        ratio = np.where(strong, (true * seen).sum(axis=0) / size, np.nan)
    rebuilt = true * np.where(strong, ratio, 0.0)
    close = np.linalg.norm(seen - rebuilt, axis=0) <= view.tolerance * np.linalg.norm(seen, axis=0) + view.zero
    return ratio if np.all(close) else None


def slack_by_column(view: View) -> Floats:
    """Return how exactly the ratio of every column is known: small columns are resolved less."""
    return _resolution(np.linalg.norm(view.J, axis=0), view.slack)


def slack_by_row(view: View) -> Floats:
    """Return how exactly the ratio of every row is known."""
    return _resolution(np.linalg.norm(view.J, axis=1), view.slack)


def _resolution(sizes: Floats, slack: float) -> Floats:
    largest = max(float(sizes.max(initial=0.0)), 1e-300)
    return np.minimum(0.1, slack * largest / np.maximum(sizes, 1e-12 * largest))


@dataclass(frozen=True)
class Change:
    """A changed case, and what would be seen there."""

    label: str
    inputs: Mapping[str, Array]
    options: Mapping[str, Plain]


def changes(view: View) -> Iterator[Change]:
    """Yield cases with more samples, longer axes or other options, in which named numbers come apart."""
    inputs = view.truth.inputs
    for axis in (0, -1, 1):
        for length in dict.fromkeys(np.shape(v)[axis] for v in inputs.values() if np.ndim(v) > max(axis, 0)):
            touched = {
                name: np.concatenate([np.asarray(value)] * 2, axis=axis)
                for name, value in inputs.items()
                if np.ndim(value) > max(axis, 0) and np.shape(value)[axis] == length
            }
            yield Change(f"axis {axis} of {', '.join(touched)} twice as long", touched, {})
            if view.name in touched and len(touched) > 1:
                yield Change(f"axis {axis} of {view.name} twice as long", {view.name: touched[view.name]}, {})
    for option, value in view.truth.options.items():
        if isinstance(value, float):
            other = 0.5 * value + 0.21 if 0.0 < value < 1.0 else 1.37 * value + 0.1
            yield Change(f"{option} = {other:g}", {}, {option: other})


def observe(view: View, change: Change) -> tuple[Situation, float] | None:
    """Return the changed situation and the global ratio seen there; ``None`` where it cannot be had."""
    account = view.account
    if account is None:
        return None
    outputs = view.truth.forward(change.inputs, change.options)
    if outputs is None:
        return None
    answer = account.elsewhere(change.inputs, change.options, None)
    if answer is None:
        return None
    gradients, upstream = answer
    true = view.measure(change.inputs, change.options)
    seen = gradients.get(view.name)
    if true is None or seen is None or np.size(seen) != true.shape[1]:
        return None
    g = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in upstream])
    if len(g) != len(true):
        return None
    factor = _scale(np.asarray(seen, dtype=np.float64).ravel(), true.T @ g, max(1e-5, view.slack, view.tolerance))
    if factor is None:
        return None
    inputs = {**view.truth.inputs, **change.inputs}
    return Situation(inputs, {**view.truth.options, **change.options}, outputs), factor
