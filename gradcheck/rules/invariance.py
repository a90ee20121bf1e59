"""Layers that a shift or a scale of a slice leaves alone: what the backward returns along those directions is an error.

Where adding a number to a slice changes nothing, the true Jacobian sums to zero over the slice; where multiplying it
changes nothing, the Jacobian is orthogonal to the slice. This needs neither an output of the input's shape nor a known
formula, so that it serves losses and weights as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gradcheck.rules.homogeneity import form_degree
from gradcheck.rules.predictions import distance
from gradcheck.rules.truth import Array, Floats
from gradcheck.rules.view import View


@dataclass(frozen=True)
class Lost:
    """What a backward has too much of, along directions in which the layer does not change.

    Attributes
    ----------
    kind
        ``mean``: a constant per slice; ``scale``: a multiple of the slice; ``both``.
    shifts
        Whether the layer ignores shifts of a slice.
    size
        How many entries a slice has.
    kept
        How much of the projection is there: 0 where the scale was held constant, 1 where it is whole; ``None`` where
        that is unknown.
    residual
        How much of the error is of another kind, relative.
    """

    kind: str
    shifts: bool
    size: int
    kept: float | None
    residual: float


def lost(view: View) -> list[Lost]:
    """Return what the error consists of where it lies in directions that leave the layer alone; remembered."""
    known = view.memory.get("lost")
    if known is None:
        known = view.memory["lost"] = list(_lost(view))
    return list(known)  # type: ignore[call-overload, no-any-return]


def _lost(view: View) -> Iterator[Lost]:
    if view.A is None or view.offset.any() or not np.all(np.isfinite(view.A)) or view.N < 4 or view.elementwise:
        return
    error = view.A - view.J
    size = float(np.linalg.norm(error))
    if size <= 1e-6 * float(np.linalg.norm(view.J)):
        return
    allowed = min(1e-3, max(1e-5, 3.0 * float(np.linalg.norm(view.B)) / size))
    for group in partitions(view.x.shape):
        count = int(group.max()) + 1
        length = view.N // count
        one = np.ones(view.N)
        shifts = _ignores(view, one, group, max(1e-6, view.slack))
        x = view.x.ravel()
        along = x - _means(x, group)[group] if shifts else x
        scales = _ignores(view, along, group, 1e-5 if view.M * count < 3 else 2e-3)
        bases = [("mean", [one])] if shifts else []
        bases += [("scale", [along])] if scales else []
        bases += [("both", [one, along])] if shifts and scales else []
        for kind, basis in bases:
            if view.M * count * (length - len(basis)) < 4 or length <= len(basis) + 1:
                continue
            parts = [_project(error, vector, group) for vector in basis]
            rest = float(np.linalg.norm(error - sum(parts))) / size
            if rest > 1e-2 and (off := _restored(view, basis, group, along)) is not None and kind == bases[-1][0]:
                yield Lost(kind, shifts, length, 0.0, off)
                return
            if rest > allowed or min(float(np.linalg.norm(part)) for part in parts) < 1e-3 * size:
                continue
            yield Lost(kind, shifts, length, None if kind == "mean" else _kept(view, along), rest)
            return


def _restored(view: View, basis: list[Floats], group: np.ndarray, along: Floats) -> float | None:
    """Return how far off the truth is what is left of the backward without those directions, over each slice's scale.

    That is the gradient of the normalised slice, returned for that of the slice: neither the projection nor 1 / scale
    is in it. ``None`` where it is not that.
    """
    if view.A is None or view.M < 2:
        return None
    left = view.A - sum(_project(view.A, vector, group) for vector in basis)
    if int(group.max()) < 1:
        return None  # one slice has one factor, and that says nothing
    factors, sizes = [], []
    for number in range(int(group.max()) + 1):
        own = group == number
        size = float(np.vdot(view.J[:, own], view.J[:, own]))
        factors.append(float(np.vdot(view.J[:, own], left[:, own])) / size if size else np.nan)
        sizes.append(float(np.linalg.norm(along[own])))
    ratio = np.array(factors)
    shares = ratio / np.array(sizes)
    off = distance(left, view.J * ratio[group])
    # the factor of every slice must be its scale, up to one number for all
    if not np.all(np.isfinite(shares)) or np.ptp(ratio) < 1e-3 * np.abs(ratio).max():
        return None
    return off if off < 1e-4 and np.ptp(shares) < 1e-2 * np.abs(shares).max() else None


def partitions(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield, for every choice of axes, the number of the slice along them that each entry belongs to."""
    ranks = range(len(shape))
    for many in range(1, len(shape) + 1):
        for axes in combinations(ranks, many):
            if all(shape[axis] > 1 for axis in axes):
                outer = tuple(1 if axis in axes else shape[axis] for axis in ranks)
                numbers = np.arange(int(np.prod(outer))).reshape(outer)
                yield np.broadcast_to(numbers, shape).ravel()


def _sums(matrix: Floats, group: np.ndarray) -> Floats:
    total = np.zeros((len(matrix), int(group.max()) + 1))
    for number in range(total.shape[1]):
        total[:, number] = matrix[:, group == number].sum(axis=1)
    return total


def _means(x: Floats, group: np.ndarray) -> Floats:
    value: Floats = np.bincount(group, weights=x) / np.bincount(group)
    return value


def _ignores(view: View, along: Floats, group: np.ndarray, slack: float) -> bool:
    """Whether no output changes when any one slice moves along a direction."""
    change = _sums(view.J * along, group)
    size = _sums(np.abs(view.J * along), group)
    return bool(np.linalg.norm(change) <= slack * np.linalg.norm(size)) and bool(np.any(size > view.zero))


def _project(matrix: Floats, along: Floats, group: np.ndarray) -> Floats:
    size = np.bincount(group, weights=along * along)
    share: Floats = _sums(matrix * along, group) / np.where(size > 0, size, 1.0)
    value: Floats = share[:, group] * along
    return value


def _kept(view: View, along: Floats) -> float | None:
    """Say how much of the projection is there, where the layer is a function of the normalised slice times a factor.

    With the scale held constant the backward returns, along the slice, what scaling the *normalised* slice would do.
    That shows elsewhere: it is the output itself where that is linear, or what scaling an option or another input does.
    """
    if view.A is None:
        return None
    seen = view.A @ along
    words = [view.y] if view.M > 1 else []
    words += [word for word in _scalings(view) if word.shape == seen.shape]
    for word in words:
        size = float(word @ word)
        share = float(word @ seen) / size if size else 0.0
        if not np.isfinite(share) or abs(share) < 1e-6:
            continue
        if distance(word, view.y) < 1e-6 and (degree := form_degree(view)) is not None:
            # held constant, the norm below a square leaves twice the output
            return 1.0 - share / degree if distance(seen, share * word) < 1e-4 else None
        close = 1e-4 if view.M == 1 else 2e-3
        if view.M > 2 and distance(seen, share * word) < close:
            return 1.0 - share
        if abs(abs(share) - 1.0) < close and distance(seen, np.sign(share) * word) < close:
            return 0.0
    return None


def _scalings(view: View) -> Iterator[Floats]:
    """Yield how the outputs change when an option, or another input, is scaled."""
    step = 1e-4
    for name, value in view.truth.options.items():
        if isinstance(value, float) and value:
            yield from _change(view, {}, {}, {name: value * (1 + step)}, {name: value * (1 - step)}, step)
    for name, given in view.truth.inputs.items():
        array = np.asarray(given)
        if name != view.name and array.dtype.kind == "f":
            yield from _change(view, {name: array * (1 + step)}, {name: array * (1 - step)}, {}, {}, step)


def _change(
    view: View,
    more: dict[str, Array],
    less: dict[str, Array],
    above: dict[str, float],
    below: dict[str, float],
    step: float,
) -> Iterator[Floats]:
    first, second = view.truth.forward(more, dict(above)), view.truth.forward(less, dict(below))
    if first is not None and second is not None:
        values = [np.concatenate([np.ravel(np.asarray(p, dtype=np.float64)) for p in v]) for v in (first, second)]
        if values[0].shape == values[1].shape and np.all(np.isfinite(values)):
            yield (values[0] - values[1]) / (2 * step)


def power_off(view: View) -> float | None:
    """Return by which power of the scale a term is wrong, in a layer that the scale of the input does not change.

    There every term of the gradient falls as 1 / scale. The error at 1, 2 and 4 times the input tells of one term that
    does not: what falls rightly cancels in e(s) - 2 e(2 s), and the ratio of two such differences is 2^power.
    """
    known = view.memory.get("power off", 0)
    if known == 0:
        known = view.memory["power off"] = _power_off(view)
    return known  # type: ignore[return-value]


def _power_off(view: View) -> float | None:
    x = view.x.ravel()
    if view.account is None or view.N < 3 or view.elementwise or view.a is None or not view.J.any():
        return None
    if np.linalg.norm(view.J @ x) > max(1e-6, view.slack) * np.linalg.norm(np.abs(view.J) @ np.abs(x)):
        return None
    errors: list[Floats] = [view.a - view.t]
    for scale in (2.0, 4.0):
        touched = {view.name: np.asarray(view.truth.inputs[view.name]) * scale}
        answer, true = view.account.elsewhere(touched, {}, view.split(view.g)), view.measure(touched)
        seen = None if answer is None else view.flat(answer[0].get(view.name))
        if seen is None or true is None or true.shape != view.J.shape or not np.all(np.isfinite(seen)):
            return None
        errors.append(seen - true.T @ view.g)
        share = float(view.a @ seen) / max(float(view.a @ view.a), 1e-300)
        if distance(seen, share * view.a) < 1e-3:
            return None  # no term is right: all of them go with one power
    first, second = errors[0] - 2 * errors[1], 2 * errors[1] - 4 * errors[2]
    size = float(first @ first)
    if np.sqrt(size) < 1e-3 * np.linalg.norm(errors[0]) or size == 0.0:
        return None
    factor = float(first @ second) / size
    if factor <= 0 or np.linalg.norm(second - factor * first) > 1e-4 * np.linalg.norm(second):
        return None
    power = float(np.log2(factor))
    whole = round(power)
    return float(whole) if whole and abs(whole) <= 4 and abs(power - whole) < 1e-3 else None
