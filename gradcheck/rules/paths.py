"""The true Jacobian as a sum of paths: which of them the backward kept, and how much of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.rules.functions import ACTIVATIONS, Function, equals, evaluate, library
from gradcheck.rules.homogeneity import projection
from gradcheck.rules.predictions import distance
from gradcheck.rules.terms import modulated
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@dataclass(frozen=True)
class Path:
    """One summand of the Jacobian; ``kind`` decides what its loss is called."""

    label: str
    kind: str
    matrix: Floats


@dataclass(frozen=True)
class Split:
    """Paths that add up to the Jacobian, and how much of each the backward kept (``None``: not those)."""

    paths: tuple[Path, ...]
    kept: tuple[float, ...] | None

    def without(self, *kinds: str) -> Floats | None:
        """Return the Jacobian without some paths, or ``None`` if it has none of them."""
        if not any(path.kind in kinds for path in self.paths):
            return None
        total: Floats = np.zeros_like(self.paths[0].matrix)
        for path in self.paths:
            if path.kind not in kinds:
                total = total + path.matrix
        return total


def splits(view: View) -> list[Split]:
    """All ways that are known to write the Jacobian as a sum; remembered on the view."""
    known = view.memory.get("splits")
    if known is None:
        known = [Split(paths, kept(view, paths)) for paths in _ways(view)]
        view.memory["splits"] = known
    return list(known)  # type: ignore[call-overload, no-any-return]


def kept(view: View, paths: tuple[Path, ...]) -> tuple[float, ...] | None:
    """Fit what the backward implies by multiples of the paths; ``None`` where that does not fit."""
    if view.A is None or view.offset.any() or not np.all(np.isfinite(view.A)):
        return None
    basis = np.stack([path.matrix.ravel() for path in paths], axis=1)
    sizes = np.linalg.norm(basis, axis=0)
    if np.any(sizes <= view.zero) or np.linalg.matrix_rank(basis / sizes, tol=1e-4) < len(paths):
        return None
    if np.count_nonzero(np.abs(basis).max(axis=1) > view.zero) < len(paths) + 2:
        return None
    weights, *_ = np.linalg.lstsq(basis / sizes, view.A.ravel(), rcond=None)
    weights = weights / sizes
    if distance((basis @ weights).reshape(view.A.shape), view.A) > view.tolerance:
        return None
    return tuple(float(w) for w in weights)


def _ways(view: View) -> Iterator[tuple[Path, ...]]:
    for paths in _candidates(view):
        total = sum((path.matrix for path in paths), np.zeros_like(view.J))
        sizes = [float(np.linalg.norm(path.matrix)) for path in paths]
        if distance(total, view.J) < view.tolerance and min(sizes) > 1e-6 * max(sizes):
            yield paths


def _candidates(view: View) -> Iterator[tuple[Path, ...]]:
    yield from _anatomical(view)
    if view.elementwise:
        yield from _elementwise(view)
    if not view.alike and (taken := projection(view)) is not None:
        yield Path("the direct path", "direct", view.J - taken), Path("the projection", "projection", taken)
    yield from _optional(view)
    yield from _companions(view)
    yield from _uses(view)
    for option, matrix in modulated(view):
        carrier = Path(f"the derivative of what {option} does not switch off", "carrier", matrix)
        yield carrier, Path(f"the derivative of the factor with {option}", "modulator", view.J - matrix)
    if view.alike:
        one = np.eye(view.N)
        yield Path("the identity", "identity", one), Path("the rest", "rest", view.J - one)


def _anatomical(view: View) -> Iterator[tuple[Path, ...]]:
    shape = view.anatomy
    if shape is None:
        return
    direct = Path("the direct path", "direct", np.diag(shape.d))
    labels = tuple(term.label for term in shape.terms)
    along = float(np.linalg.norm(view.J @ view.x.ravel()))
    free = float(np.linalg.norm(shape.d * view.x.ravel()))
    kinds = {"one": "mean", "centred x": "variance"}
    if labels != ("one",) and "one" not in labels:
        level = float(np.linalg.norm(view.J.sum(axis=1))) > max(1e-4, view.slack) * float(np.linalg.norm(view.J))
        squares = "x" in labels or (along < 0.2 * free and level)
        kinds = dict.fromkeys(labels, "projection" if squares else "sum")
    names = {
        "mean": "the mean path",
        "variance": "the variance path",
        "projection": "the projection",
        "sum": "the sum over the slice",
    }
    terms = []
    for term in shape.terms:
        kind = kinds.get(term.label, "sum")
        terms.append(Path(names[kind], kind, np.outer(term.inside, term.outside) * shape.same))
    yield (direct, *terms)


def _elementwise(view: View) -> Iterator[tuple[Path, ...]]:
    """Yield the two terms of a product, the two of a quotient: of known functions, or x times the rest."""
    x, y, slope = view.x.ravel(), view.y, view.diagonal
    for first, second in _factorings(view):
        u, du = evaluate(first.f, x), evaluate(first.df, x)
        v, dv = evaluate(second.f, x), evaluate(second.df, x)
        if u is None or du is None or v is None or dv is None:
            continue
        names = (f"({first.label})' {second.label}", f"{first.label} ({second.label})'")
        yield (
            Path(names[0], "known product", np.diag(du * v)),
            Path(names[1], "known product", np.diag(u * dv)),
        )
    if np.all(np.abs(x) > 1e-9):
        rest = y / x
        if np.ptp(rest) > 1e-6 * np.abs(rest).max(initial=0.0):
            yield (
                Path("the derivative of the factor x", "product", np.diag(rest)),
                Path("x times the derivative of the other factor", "product", np.diag(slope - rest)),
            )


def _factorings(view: View) -> Iterator[tuple[Function, Function]]:
    """Yield pairs of known functions whose product the output is."""
    x, y = view.x.ravel(), view.y
    if view.N < 3:
        return
    words = [f for f in library(view.truth.options) if f.label not in ("1 + x", "1 - x")]
    values = [(f, evaluate(f.f, x)) for f in words]
    for place, (first, u) in enumerate(values):
        if u is None or np.ptp(u) == 0:
            continue
        for second, v in values[place:]:
            if v is not None and np.ptp(v) > 0 and equals(u * v, y, view.grain):
                yield first, second


def _optional(view: View) -> Iterator[tuple[Path, ...]]:
    """Yield what is left when an option is 0, and the part that is proportional to the option."""
    for option, value in view.truth.options.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value == 0:
            continue
        without = view.measure(options={option: 0.0 if isinstance(value, float) else 0})
        if without is None or without.shape != view.J.shape:
            continue
        twice = view.measure(options={option: 2 * value})
        part = view.J - without
        if twice is None or twice.shape != view.J.shape or distance(twice - without, 2 * part) > max(1e-4, view.slack):
            continue
        rest = Path(f"what does not depend on {option}", "rest", without)
        yield rest, Path(f"the part with {option}", _kind(view, part, "option"), part)


def _companions(view: View) -> Iterator[tuple[Path, ...]]:
    """Yield what is left when another input is all zeros, and what that input takes part in."""
    for name, value in view.truth.inputs.items():
        if name == view.name or np.asarray(value).dtype.kind != "f" or not np.any(value):
            continue
        without = view.measure({name: np.zeros_like(value)})
        if without is not None and without.shape == view.J.shape:
            part = view.J - without
            if np.ndim(value) == 0 and _is_multiple(without, view.J, view.slack):
                continue  # a number that scales everything opens no path of its own
            yield (
                Path(f"the path past {name}", _kind(view, without, "past"), without),
                Path(f"the path through {name}", _kind(view, part, "through"), part),
            )
        for partner, other in view.truth.inputs.items():
            if (
                partner in (view.name, name)
                or np.shape(other) != np.shape(value)
                or np.asarray(other).dtype.kind != "f"
            ):
                continue
            equal = view.measure({name: np.asarray(other)})
            if equal is not None and equal.shape == view.J.shape:
                yield (
                    Path(f"what is left where {name} equals {partner}", "past", equal),
                    Path(f"what goes with the difference of {name} and {partner}", "through", view.J - equal),
                )


def _is_multiple(part: Floats, whole: Floats, slack: float) -> bool:
    size = float(np.vdot(whole, whole))
    return bool(size) and distance(part, float(np.vdot(whole, part)) / size * whole) < max(1e-6, slack)


def _uses(view: View) -> Iterator[tuple[Path, ...]]:
    """Yield what flows through each of several matrices that every row of x is multiplied with.

    A layer that works row by row and uses x in x @ W depends on W[k, j] as it depends on (x @ W)[n, j], times x[n, k];
    so the derivative with respect to W tells what flows through that product, times W.
    """
    if view.x.ndim != 2 or np.any(np.abs(view.x) < 1e-6) or len(view.shapes) != 1 or not view.shapes[0]:
        return
    count, width = view.x.shape
    if view.shapes[0][0] != count:
        return
    sample = np.unravel_index(np.arange(view.M), view.shapes[0])[0]
    own = np.repeat(np.arange(count), width)
    if np.any(np.abs(view.J[sample[:, None] != own[None, :]]) > view.zero):
        return
    paths: list[Path] = []
    for name, value in view.truth.inputs.items():
        weights = np.asarray(value)
        if name == view.name or weights.ndim != 2 or weights.dtype.kind != "f" or len(weights) != width:
            continue
        slopes = view.truth.measure(name, {}, {})
        if slopes is None or slopes.shape != (view.M, weights.size):
            continue
        flow = slopes.reshape(view.M, *weights.shape) / view.x[sample][:, :, None]
        if np.ptp(flow, axis=1).max(initial=0.0) > 1e-5 * np.abs(flow).max(initial=1e-300):
            continue
        matrix = np.zeros((view.M, count, width))
        matrix[np.arange(view.M), sample] = flow[:, 0] @ weights.T
        paths.append(Path(f"what flows through {view.name} @ {name}", "use", matrix.reshape(view.J.shape)))
    if not paths:
        return
    rest = view.J - sum((path.matrix for path in paths), np.zeros_like(view.J))
    if np.linalg.norm(rest) > 1e-5 * np.linalg.norm(view.J):
        paths.append(Path("what does not flow through a matrix", "use", rest))
    if len(paths) > 1:
        yield tuple(paths)


def _kind(view: View, part: Floats, other: str) -> str:
    """Say whether a summand is a penalty: one row that is proportional to the input, or to its signs."""
    if view.M == 1 and view.N >= 3:
        for word in (view.x.ravel(), np.sign(view.x.ravel())):
            size = float(word @ word)
            if size and np.ptp(word) > 0 and distance(part[0], float(part[0] @ word) / size * word) < view.slack:
                return "penalty"
    return other


def known_activation(view: View, slope: Floats) -> Function | None:
    """Return the known function that has a slope at every entry of the input, if the layer is not that function."""
    x = view.x.ravel()
    for function in (*library(view.truth.options), *ACTIVATIONS):
        value = evaluate(function.df, x)
        if value is not None and np.ptp(value) > 0 and equals(value, slope, max(1e-7, view.grain), 1e-10):
            return function
    return None
