"""One richer version of a case, and its truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    inputs, options, upstream
        What is changed; another upstream is drawn where none is given.
    changes
        The cure as :class:`gradcheck.model.BlindSpot` keeps it.
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
    changes: Mapping[str, Plain] = field(default_factory=dict)
    upstream: Sequence[Array] | None = None
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
    drawn = tuple(rng.standard_normal(np.shape(part)) for part in outputs)
    upstream = drawn if variant.upstream is None else tuple(variant.upstream)
    return Truth(inputs, options, outputs, upstream, truth.axis, truth.wrt, jacobians, bounds, measure, forward)


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
