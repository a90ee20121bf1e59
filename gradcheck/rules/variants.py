"""Richer versions of a case: what it would take to see a bug that the case cannot show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.truth import Array, Truth
from gradcheck.rules.variant import Variant, redrawn

WHOLE = 6
"""Whole numbers in the place of a float are drawn from minus this up to this."""


def variants(truth: Truth, *, given: bool = True) -> Iterator[Variant]:
    """Yield the changes worth trying, the plainest first; ``given``: whether the case chooses its own upstream."""
    yield _other_upstream(truth.upstream, given=given)
    generic = {name: redrawn(np.asarray(value), number) for number, (name, value) in enumerate(truth.inputs.items())}
    yield Variant(
        "the inputs are special: equal, saturated, sorted, symmetric, tiny, or at a neutral value",
        "draw the inputs at random and of order 1",
        generic,
        changes={"inputs": {"*": {"generic": True}}},
        never=("epsilon-mismatch",),
    )
    yield from _longer(truth)
    yield from _optional(truth)
    yield from _points(truth)


def _other_upstream(upstream: Sequence[Array], *, given: bool) -> Variant:
    """Return the change of the upstream: to the default, or where it is that already, to another one."""
    cause = _upstream_cause(upstream)
    if given:
        return Variant(cause, "use a signed Gaussian upstream, the default", changes={"upstream": "default"})
    if sum(np.size(part) for part in upstream) == 1:
        other = [np.full(np.shape(part), -1.5 if np.all(part >= 0) else 1.5) for part in upstream]
        value = next(float(part.ravel()[0]) for part in other if part.size)
        return Variant(cause, f"give an upstream of {value}", changes={"upstream": [value]}, upstream=other)
    return Variant("this draw of the upstream happens to hide it", "use another seed", changes={"seed": 1})


def _upstream_cause(upstream: Sequence[Array]) -> str:
    flat = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in upstream])
    if flat.size == 1:
        return "the upstream is one number, and not negative" if flat[0] >= 0 else "the upstream is one number"
    if flat.size and np.ptp(flat) == 0:
        return "all entries of the upstream are equal"
    if flat.size and np.all(flat >= 0):
        return "no entry of the upstream is negative"
    return "the upstream is special: its slices are equal, or sum to zero, or it is zero in places"


def _longer(truth: Truth) -> Iterator[Variant]:
    """Make axes of length 1 longer, and one of two equal axes."""
    tried: set[tuple[tuple[str, int], ...]] = set()
    for name, value in truth.inputs.items():
        shape = np.shape(value)
        for axis, length in enumerate(shape):
            equal = length > 1 and axis == len(shape) - 1 and len(shape) > 1 and shape[-2] == length
            if length != 1 and not equal:
                continue
            for group in _groups(truth.inputs, name, axis, length):
                if group in tried:
                    continue
                tried.add(group)
                inputs = {key: _stretched(np.asarray(truth.inputs[key]), place, length + 2) for key, place in group}
                if truth.forward(inputs, {}) is None:
                    continue
                named = ", ".join(f"axis {place} of {key}" for key, place in group)
                cause = f"{named} has length 1" if length == 1 else f"{named} is as long as the one before it"
                lengths: dict[str, list[Plain]] = {}
                for key, place in group:
                    lengths.setdefault(key, []).append([place, length + 2])
                changes: dict[str, Plain] = {"inputs": {key: {"lengths": each} for key, each in lengths.items()}}
                cure = f"make {named} longer: {length + 2}"
                yield Variant(cause, cure, inputs, changes=changes, fresh=length == 1)
                break


def _groups(inputs: Mapping[str, Array], name: str, axis: int, length: int) -> Iterator[tuple[tuple[str, int], ...]]:
    """Yield sets of axes that may have to grow together: as counted from the front, from the end, or this one alone."""
    back = axis - np.ndim(inputs[name])
    front = [(key, axis) for key, v in inputs.items() if np.ndim(v) > axis and np.shape(v)[axis] == length]
    rear = [
        (key, np.ndim(v) + back) for key, v in inputs.items() if np.ndim(v) >= -back and np.shape(v)[back] == length
    ]
    yield tuple(front)
    yield tuple(rear)
    yield ((name, axis),)


def _stretched(array: Array, axis: int, length: int) -> Array:
    repeats = -(-length // array.shape[axis])
    long = np.concatenate([array] * repeats, axis=axis)
    long = np.take(long, np.arange(length), axis=axis)
    noise = redrawn(long, length)
    return noise if array.dtype.kind == "f" else long


def _optional(truth: Truth) -> Iterator[Variant]:
    """Move every option away from its neutral value."""
    last = max(map(np.ndim, truth.inputs.values()), default=0) - 1
    for option, value in truth.options.items():
        others: list[Plain] = []
        if isinstance(value, bool):
            others = [not value]
        elif isinstance(value, int):
            others = [value + 1, value - 1, value + 2]
            if option in ("axis", "dim"):
                ranks = {np.ndim(part) for part in truth.inputs.values()}
                others = [
                    axis for axis in range(max(ranks, default=0)) if axis != value % max(max(ranks, default=1), 1)
                ]
        elif isinstance(value, float):
            others = [2.3] if value == 1.0 else [0.3] if value == 0.0 else []
            if 0.0 < value < 1e-3:
                others = [1e-3, 0.1]
        elif isinstance(value, str):
            others = [word for word in ("mean", "sum", "none", "tanh") if word != value]
        elif isinstance(value, (list, tuple)) and all(isinstance(part, int) for part in value):
            others = [
                [*value[1:], value[0]],
                [*value[-1:], *value[:-1]],
                [2 * part for part in value if isinstance(part, int)],
            ]
        tiny = isinstance(value, float) and 0.0 < value < 1e-3
        for other in others:
            if truth.forward({}, {option: other}) is not None:
                cause, cure = f"{option} has the value {value!r}", f"set {option} to {other!r}"
                if option in ("axis", "dim") and value in (-1, last):
                    cause = f"{option} {value} is the last, over which sums run by default"
                only = ("epsilon-mismatch",) if tiny else ()
                yield Variant(cause, cure, {}, {option: other}, {"options": {option: other}}, only=only)


def _points(truth: Truth) -> Iterator[Variant]:
    """Bring in what random numbers do not have: ties, zeros, repeated indices, ignored labels, large values."""
    for name, value in truth.inputs.items():
        array = np.asarray(value)
        if array.dtype.kind in "iu" and array.size > 1:
            flat = array.ravel().copy()
            flat[-1] = flat[0]
            cause, cure = f"no number occurs twice in {name}", f"repeat a number in {name}"
            change: dict[str, Plain] = {"labels": "repeated"}
            yield _of(name, cause, cure, flat.reshape(array.shape), change, "duplicate-index-overwrite")
            limits, most = np.iinfo(array.dtype), int(array.max()) + 1
            if int(array.min()) - most >= limits.min:
                cause, cure = f"no {name} is negative", f"draw {name} with negative numbers"
                yield _of(name, cause, cure, array - most, {"labels": "negative"}, "dtype-truncation")
            for ignored in (-1, -100, *(v for v in truth.options.values() if type(v) is int)):
                if not limits.min <= ignored <= limits.max or np.any(array == ignored):
                    continue
                flat = array.ravel().copy()
                flat[0] = ignored
                cause, cure = f"no {name} is {ignored}", f"set one of {name} to {ignored}"
                only = ("ignore-index-not-masked", "wrong-normaliser-count")
                yield _of(name, cause, cure, flat.reshape(array.shape), {"pin": ignored}, *only)
        if array.dtype.kind == "f" and array.size > 1 and name in truth.wrt:
            yield from _values(name, array)
        elif array.dtype.kind == "f" and array.size > 1 and np.ptp(array) > 0:
            cause, cure = f"no entry of {name} is 0", f"set an entry of {name} to 0"
            yield _of(name, cause, cure, _with_zero(array), {"pin": 0}, "nan-at-special-point")


def _with_zero(array: Array) -> Array:
    flat = array.ravel().copy()
    flat[flat.size // 2] = 0.0
    return np.asarray(flat.reshape(array.shape))


def _of(name: str, cause: str, cure: str, array: Array, change: Plain, *only: str, fresh: bool = True) -> Variant:
    """Return the change of one input."""
    return Variant(cause, cure, {name: array}, changes={"inputs": {name: change}}, only=only, fresh=fresh)


def _values(name: str, array: Array) -> Iterator[Variant]:
    """Yield other values of one differentiated input."""
    scale = float(np.std(array)) or 1.0
    generic = np.asarray(redrawn(array, 1), dtype=np.float64)
    branches = (
        "branch-condition-wrong",
        "saturation-mask-missing",
        "branch-recovered-from-output",
        "missing-inner-factor",
    )
    cause, cure = f"all {name} stay on one branch", f"draw {name} from a wider range (scale 4)"
    yield _of(name, cause, cure, 4.0 * generic, {"draw": "normal", "scale": 4.0}, *branches)
    zero = ("nan-at-special-point", "division-by-input-at-zero", "branch-recovered-from-output")
    yield _of(name, f"no entry of {name} is 0", f"set an entry of {name} to 0", _with_zero(generic), {"pin": 0}, *zero)
    if array.ndim and array.shape[-1] > 1:
        tied = np.asarray(array, dtype=np.float64).copy()
        top = np.argsort(tied, axis=-1)[..., -2:]
        largest = np.take_along_axis(tied, top[..., 1:], -1)
        np.put_along_axis(tied, top[..., :1], largest, -1)
        cause, cure = f"no two entries of {name} tie for the maximum", f"draw {name} with ties"
        yield _of(name, cause, cure, tied, {"draw": "ties"}, "tie-double-count")
        near = tied.copy()
        np.put_along_axis(near, top[..., :1], largest - 3e-3, -1)
        cause, cure = f"the largest entries of {name} are far apart", f"draw {name} with near ties"
        yield _of(name, cause, cure, near, {"draw": "distinct", "gap": 0.003}, "loose-equality-mask")
    if np.all(array > 0):
        mixed = np.random.default_rng(11).standard_normal(array.shape)
        cause, cure = f"all {name} are positive", f"draw {name} with both signs"
        yield _of(name, cause, cure, mixed, {"draw": "normal"}, fresh=False)
    if array.ndim:
        more = np.concatenate([generic, np.take(generic, [0], axis=-1)], axis=-1)
        cause, cure = f"all windows over {name} are whole", f"make the last axis of {name} longer by 1"
        yield _of(name, cause, cure, more, {"longer": 1}, "wrong-normaliser-count")
    small = np.asarray(array, dtype=np.float64) * (1e-2 / scale)
    cause, cure = f"{name} is large against small constants", f"draw {name} with a scale of 0.01"
    yield _of(name, cause, cure, small, {"draw": "normal", "scale": 0.01}, "epsilon-mismatch")
    cause, cure = f"{name} is small", f"draw {name} around 1000"
    yield _of(name, cause, cure, generic + 1000.0, {"draw": "normal", "loc": 1000.0}, "unstable-backward-overflow")
    # integers are differentiated only where they are named
    whole: dict[str, Plain] = {"draw": "integers", "low": -WHOLE, "high": WHOLE + 1, "dtype": "int64"}
    changes: dict[str, Plain] = {"inputs": {name: whole}, "wrt": name}
    cause, cure = f"{name} holds floats", f"draw {name} as whole numbers (int64), and name it in wrt"
    given = {name: np.rint(3.0 * generic).astype(np.int64)}
    yield Variant(cause, cure, given, changes=changes, only=("dtype-truncation",))
