"""Richer versions of a case: what it would take to see a bug that the case cannot show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.truth import Array, Floats, Truth


@dataclass(frozen=True)
class Variant:
    """A change of a case.

    Attributes
    ----------
    cause, cure
        What is poor about the case, and what to do about it.
    inputs, options
        What is changed.
    only
        Rules that the change is meant for; all where it is empty.
    fresh
        Whether a bug counts that the case as it stands has no room for at all.
    never
        Rules that have a change of their own.
    """

    cause: str
    cure: str
    inputs: Mapping[str, Array] = field(default_factory=dict)
    options: Mapping[str, Plain] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    fresh: bool = True
    never: tuple[str, ...] = ()


def moved(truth: Truth, variant: Variant) -> Truth | None:
    """Measure the truth of a changed case, with a Gaussian upstream; ``None`` where the forward does not take it."""
    outputs = truth.outputs
    if variant.inputs or variant.options:
        found = truth.forward(variant.inputs, variant.options)
        if found is None or not all(np.all(np.isfinite(np.asarray(part, dtype=np.float64))) for part in found):
            return None
        outputs = found
    inputs = {**truth.inputs, **variant.inputs}
    options = {**truth.options, **variant.options}
    jacobians: dict[str, Floats] = {}
    bounds: dict[str, Floats] = {}
    for name in truth.wrt:
        if not variant.inputs and not variant.options:
            jacobians[name], bounds[name] = truth.jacobians[name], truth.bounds[name]
            continue
        matrix = truth.measure(name, variant.inputs, variant.options)
        if matrix is None or not np.all(np.isfinite(matrix)):
            return None
        jacobians[name] = matrix
        bounds[name] = np.full(matrix.shape, 1e-9 * float(np.abs(matrix).max(initial=0.0)))

    def measure(name: str, more: Mapping[str, Array], other: Mapping[str, Plain]) -> Floats | None:
        return truth.measure(name, {**variant.inputs, **more}, {**variant.options, **other})

    def forward(more: Mapping[str, Array], other: Mapping[str, Plain]) -> tuple[Array, ...] | None:
        return truth.forward({**variant.inputs, **more}, {**variant.options, **other})

    rng = np.random.default_rng(20)
    upstream = tuple(rng.standard_normal(np.shape(part)) for part in outputs)
    return Truth(inputs, options, outputs, upstream, truth.axis, truth.wrt, jacobians, bounds, measure, forward)


def variants(truth: Truth) -> Iterator[Variant]:
    """Yield the changes worth trying, the plainest first."""
    yield Variant(_upstream_cause(truth.upstream), "use a signed Gaussian upstream, the default")
    generic = {name: redrawn(np.asarray(value), number) for number, (name, value) in enumerate(truth.inputs.items())}
    yield Variant(
        "the inputs are special: equal, saturated, sorted, symmetric, tiny, or at a neutral value",
        "draw the inputs at random and of order 1",
        generic,
        never=("epsilon-mismatch",),
    )
    yield from _longer(truth)
    yield from _optional(truth)
    yield from _points(truth)


def _upstream_cause(upstream: Sequence[Array]) -> str:
    flat = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in upstream])
    if flat.size == 1:
        return "the upstream is one number, and not negative" if flat[0] >= 0 else "the upstream is one number"
    if flat.size and np.ptp(flat) == 0:
        return "all entries of the upstream are equal"
    if flat.size and np.all(flat >= 0):
        return "no entry of the upstream is negative"
    return "the upstream is special: its slices are equal, or sum to zero, or it is zero in places"


def redrawn(array: Array, seed: int) -> Array:
    """Return an array of the same kind (signs, range, labels) with generic values."""
    rng = np.random.default_rng([7, seed])
    if array.dtype.kind != "f" or array.size == 0:
        return array
    identity = array.ndim == 2 and array.shape[0] == array.shape[1] and np.array_equal(array, np.eye(len(array)))
    if set(np.unique(array)) <= {0.0, 1.0} and not identity:
        rows = array.ndim > 0 and array.shape[-1] > 1 and bool(np.all(array.sum(axis=-1) == 1))
        return array if rows else _half(array.shape, rng)
    if array.ndim and array.shape[-1] > 1 and np.all(array > 0) and np.allclose(array.sum(axis=-1), 1.0):
        return array
    noise = rng.standard_normal(array.shape)
    if np.all((array > 0) & (array < 1)):
        return np.asarray(1.0 / (1.0 + np.exp(-noise)))
    if np.all(array > 0):
        return np.asarray(np.exp(0.5 * noise))
    if np.all(array < 0):
        return np.asarray(-np.exp(0.5 * noise))
    if np.all(np.abs(array) == 1.0):
        return array
    return np.asarray(noise)


def _half(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    size = int(np.prod(shape))
    return np.asarray(rng.permutation((np.arange(size) % 2).astype(np.float64)).reshape(shape))


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
                yield Variant(cause, f"make {named} longer: {length + 2}", inputs, fresh=length == 1)
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
                yield Variant(cause, cure, {}, {option: other}, only=("epsilon-mismatch",) if tiny else ())


def _points(truth: Truth) -> Iterator[Variant]:
    """Bring in what random numbers do not have: ties, zeros, repeated indices, ignored labels, large values."""
    for name, value in truth.inputs.items():
        array = np.asarray(value)
        if array.dtype.kind in "iu" and array.size > 1:
            flat = array.ravel().copy()
            flat[-1] = flat[0]
            repeated = {name: flat.reshape(array.shape)}
            cause, cure = f"no number occurs twice in {name}", f"repeat a number in {name}"
            yield Variant(cause, cure, repeated, only=("duplicate-index-overwrite",))
            negative = {name: array - int(array.max()) - 1}
            cause, cure = f"no {name} is negative", f"draw {name} with negative numbers"
            yield Variant(cause, cure, negative, only=("dtype-truncation",))
            for ignored in (-1, -100, *(v for v in truth.options.values() if type(v) is int)):
                if np.any(array == ignored) or not isinstance(ignored, int):
                    continue
                flat = array.ravel().copy()
                flat[0] = ignored
                cause, cure = f"no {name} is {ignored}", f"set one of {name} to {ignored}"
                only = ("ignore-index-not-masked", "wrong-normaliser-count")
                yield Variant(cause, cure, {name: flat.reshape(array.shape)}, only=only)
        if array.dtype.kind == "f" and array.size > 1 and name in truth.wrt:
            yield from _values(name, array)
        elif array.dtype.kind == "f" and array.size > 1 and np.ptp(array) > 0:
            cause, cure = f"no entry of {name} is 0", f"set an entry of {name} to 0"
            yield Variant(cause, cure, {name: _with_zero(array)}, only=("nan-at-special-point",))


def _with_zero(array: Array) -> Array:
    flat = array.ravel().copy()
    flat[flat.size // 2] = 0.0
    return np.asarray(flat.reshape(array.shape))


def _values(name: str, array: Array) -> Iterator[Variant]:
    """Yield other values of one differentiated input."""
    scale = float(np.std(array)) or 1.0
    generic = np.asarray(redrawn(array, 1), dtype=np.float64)
    wide = {name: 4.0 * generic}
    branches = (
        "branch-condition-wrong",
        "saturation-mask-missing",
        "branch-recovered-from-output",
        "missing-inner-factor",
    )
    yield Variant(f"all {name} stay on one branch", f"draw {name} from a wider range (scale 4)", wide, only=branches)
    zero = ("nan-at-special-point", "division-by-input-at-zero", "branch-recovered-from-output")
    yield Variant(f"no entry of {name} is 0", f"set an entry of {name} to 0", {name: _with_zero(generic)}, only=zero)
    if array.ndim and array.shape[-1] > 1:
        tied = np.asarray(array, dtype=np.float64).copy()
        top = np.argsort(tied, axis=-1)[..., -2:]
        largest = np.take_along_axis(tied, top[..., 1:], -1)
        np.put_along_axis(tied, top[..., :1], largest, -1)
        cause, cure = f"no two entries of {name} tie for the maximum", f"draw {name} with ties"
        yield Variant(cause, cure, {name: tied}, only=("tie-double-count",))
        near = tied.copy()
        np.put_along_axis(near, top[..., :1], largest - 3e-3, -1)
        cause, cure = f"the largest entries of {name} are far apart", f"draw {name} with near ties"
        yield Variant(cause, cure, {name: near}, only=("loose-equality-mask",))
    if np.all(array > 0):
        mixed = np.random.default_rng(11).standard_normal(array.shape)
        yield Variant(f"all {name} are positive", f"draw {name} with both signs", {name: mixed}, fresh=False)
    if array.ndim:
        more = np.concatenate([generic, np.take(generic, [0], axis=-1)], axis=-1)
        cause, cure = f"all windows over {name} are whole", f"make the last axis of {name} longer by 1"
        yield Variant(cause, cure, {name: more}, only=("wrong-normaliser-count",))
    small = {name: np.asarray(array, dtype=np.float64) * (1e-2 / scale)}
    cause, cure = f"{name} is large against small constants", f"draw {name} with a scale of 0.01"
    yield Variant(cause, cure, small, only=("epsilon-mismatch",))
    cause, cure = f"{name} is small", f"draw {name} around 1000"
    yield Variant(cause, cure, {name: generic + 1000.0}, only=("unstable-backward-overflow",))
    whole = {name: np.rint(3.0 * generic).astype(np.int64)}
    yield Variant(f"{name} holds floats", f"try {name} with whole numbers", whole, only=("dtype-truncation",))
