"""Which outputs belong to which inputs: one block, slices that do not see each other, or each input's own reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, log2, prod

import numpy as np

from gradcheck.numeric.evaluate import Array, Evaluator, Function, Indices, Mask, as_evaluator

_ULPS = 8.0  # a leak of this many roundings of the outputs may be due to another order of summation


class NotLocalError(Exception):
    """An input was seen to reach an output that its layout does not know of; another layout is needed.

    Parameters
    ----------
    layout, missed
        The coloured layout, and outputs with the input that reaches each; none where that is not known.
    """

    def __init__(self, layout: Layout | None = None, missed: Sequence[tuple[int, int]] = ()) -> None:
        super().__init__("an input reaches outputs that its layout does not know of")
        self.layout, self.missed = layout, missed


@dataclass(eq=False, slots=True)
class Layout:
    """Slices of the inputs and the outputs that each of them reaches.

    Attributes
    ----------
    inputs
        (S, n) indices into ``x.ravel()``: row s lists the inputs of slice s. Column k of all slices is moved at once,
        or of all slices of one colour.
    outputs
        (S, m) indices into the flat output: those that slice s alone reaches; with colours, those that no other slice
        of its colour does, filled up with M, which stands for an output that is always 0.
    kind
        ``whole``, ``slices``, ``elementwise`` or ``coloured``.
    axes
        Axes of x that number the slices; empty for ``whole``.
    leak
        Largest change of an output that belongs to another slice, 0 where slices are independent bit for bit.
    evaluations
        Forward calls spent on finding it.
    colours
        (S,) colour of every slice; None where all can be moved at once.
    """

    inputs: Indices
    outputs: Indices
    kind: str = "whole"
    axes: tuple[int, ...] = ()
    leak: float = 0.0
    evaluations: int = 0
    colours: Indices | None = None
    ordered: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        # rows that lie one after the other need no indexing, only another shape
        natural = all(np.array_equal(part.ravel(), np.arange(part.size)) for part in (self.inputs, self.outputs))
        object.__setattr__(self, "ordered", natural and self.colours is None)

    @classmethod
    def whole(cls, inputs: int, outputs: int) -> Layout:
        """All `outputs` may depend on all `inputs`: a single slice."""
        return cls(np.arange(inputs).reshape(1, -1), np.arange(outputs).reshape(1, -1))

    @property
    def slices(self) -> int:
        """S, the number of slices."""
        return int(self.inputs.shape[0])

    @property
    def width(self) -> int:
        """n, the inputs of one slice."""
        return int(self.inputs.shape[1])

    @property
    def size(self) -> int:
        """N = S n, the number of inputs."""
        return int(self.inputs.size)

    @property
    def groups(self) -> Sequence[Indices | slice]:
        """Rows that are moved at once."""
        if self.colours is None:
            return (slice(None),)
        return [np.flatnonzero(self.colours == number) for number in range(int(self.colours.max(initial=-1)) + 1)]

    def gather_inputs(self, values: Array) -> Array:
        """Values of x's shape as (S, n)."""
        return values.reshape(self.inputs.shape) if self.ordered else values.reshape(-1)[self.inputs]

    def gather_outputs(self, values: Array) -> Array:
        """Flat outputs as (S, m)."""
        if self.ordered:
            return values.reshape(self.outputs.shape)
        return values[self.outputs] if self.colours is None else np.append(values, 0.0)[self.outputs]

    def scatter_inputs(self, values: Array, shape: tuple[int, ...]) -> Array:
        """(S, n) values back in the shape of x; the inverse of :meth:`gather_inputs`."""
        if self.ordered:
            return values.reshape(shape)
        flat = np.empty(self.size, dtype=values.dtype)
        flat[self.inputs] = values
        return flat.reshape(shape)


def find_layout(
    function: Function | Evaluator,
    x: Array,
    y0: Array,
    output_shapes: Sequence[tuple[int, ...]],
    rng: np.random.Generator,
    *,
    eps: float = 2.0**-52,
) -> Layout | None:
    """Find slices of `x` that do not see each other, by moving half of them and looking at the others.

    Per axis the slices are numbered in binary; those with bit b set are moved at random, then those without. The
    outputs of the others must not change by a single bit. So every ordered pair of slices is told apart with
    2 ceil(log2 B) evaluations; an axis along which the function mixes is refused after one or two.

    Parameters
    ----------
    function
        Takes a float64 array of the shape of `x`, returns M numbers: all outputs one after the other.
    y0
        (M,) values at `x`.
    output_shapes
        Shapes of the outputs. Each must have an axis for every axis of `x` that numbers slices, at any place.
    rng
        Generator of the moves.
    eps
        Working precision: leaks of a few roundings are accepted, and remembered as :attr:`Layout.leak`.

    Returns
    -------
    Layout or None
        None where all axes mix (or there is but one slice).
    """
    evaluate = as_evaluator(function)
    before = evaluate.count
    if x.size < 2 or not np.isfinite(x).all() or sum(prod(shape) for shape in output_shapes) != y0.size:
        return None
    outputs = _split(y0, output_shapes)
    homes: dict[int, list[list[int]]] = {}
    leak = 0.0
    for axis in range(x.ndim):
        if x.shape[axis] < 2:
            continue
        places, worst = _probe_axis(evaluate, x, outputs, axis, rng, eps)
        if all(places):
            homes[axis] = places
            leak = max(leak, worst)
    assigned = _assign(homes, len(outputs))
    if not assigned:
        return None
    axes = tuple(sorted(assigned))
    inputs = _rows(np.arange(x.size).reshape(x.shape), axes)
    offsets = np.cumsum([0, *(prod(shape) for shape in output_shapes)])
    parts = [
        _rows(offsets[number] + np.arange(prod(shape)).reshape(shape), tuple(assigned[axis][number] for axis in axes))
        for number, shape in enumerate(output_shapes)
    ]
    kind = "elementwise" if inputs.shape[1] == 1 else "slices"
    return Layout(inputs, np.concatenate(parts, axis=1), kind, axes, leak, evaluate.count - before)


def _split(values: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    ends = np.cumsum([prod(shape) for shape in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(values, ends), shapes, strict=True)]


def _rows(numbers: Indices, axes: tuple[int, ...]) -> Indices:
    """Indices with one row per slice along `axes`."""
    rest = [axis for axis in range(numbers.ndim) if axis not in axes]
    count = prod(numbers.shape[axis] for axis in axes)
    rows: Indices = numbers.transpose([*axes, *rest]).reshape(count, -1)
    return rows


def _probe_axis(
    evaluate: Evaluator, x: Array, outputs: list[Array], axis: int, rng: np.random.Generator, eps: float
) -> tuple[list[list[int]], float]:
    """Axes of every output along which it follows the slices of `x` along `axis`, and the largest leak."""
    length = x.shape[axis]
    places = [_candidates(axis, length, x.ndim, output.shape) for output in outputs]
    worst = 0.0
    if not all(places):
        return places, worst
    scale = np.maximum(np.abs(x), float(np.sqrt(np.mean(x * x))) or 1.0)
    one_signed = bool(np.all(x >= 0) or np.all(x <= 0))
    scale = np.abs(x) if one_signed else scale
    most = 0.75 if one_signed else 2.0
    shapes = [output.shape for output in outputs]
    # drawn once: random numbers for all inputs take as long as a call; every other time it goes the other way
    move = scale * rng.uniform(0.25, most, x.shape) * rng.choice([-1.0, 1.0], x.shape)
    there, back = x + move, x - move
    for turn, mask in enumerate(_codes(length)):
        along = mask.reshape([length if number == axis else 1 for number in range(x.ndim)])
        moved = _split(evaluate.view(np.where(along, back if turn % 2 else there, x)), shapes)
        for number, (old, new) in enumerate(zip(outputs, moved, strict=True)):
            kept = []
            same = old == new
            for place in places[number]:
                leak = _leak(old, new, same, mask, place, eps)
                if leak is not None:
                    kept.append(place)
                    worst = max(worst, leak)
            places[number] = kept
        if not all(places):
            break
    return places, worst


def _candidates(axis: int, length: int, rank: int, shape: tuple[int, ...]) -> list[int]:
    """Axes of an output that are as long, the likeliest first: the same from the front, the same from the back."""
    fitting = [place for place, size in enumerate(shape) if size == length]
    return sorted(fitting, key=lambda place: (place != axis, len(shape) - place != rank - axis, place))


def _codes(length: int) -> Iterator[np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    numbers = np.arange(length)
    for bit in range(ceil(log2(length))):
        for value in (0, 1):
            mask = ((numbers >> bit) & 1) == value
            if mask.any() and not mask.all():
                yield mask


def _leak(old: Array, new: Array, same: Mask, mask: Mask, place: int, eps: float) -> float | None:
    """Largest change of the outputs that should not change, the mask's others; None if it is more than roundings."""
    still: Mask = np.logical_and.reduce(same, axis=tuple(axis for axis in range(same.ndim) if axis != place))
    if bool(still[~mask].all()):
        return 0.0
    old, new = np.compress(~mask, old, axis=place), np.compress(~mask, new, axis=place)
    if np.array_equal(old, new, equal_nan=True):
        return 0.0
    same = (old == new) | (np.isnan(old) & np.isnan(new))
    with np.errstate(invalid="ignore"):
        change = np.where(same, 0.0, np.abs(new - old))
    largest = float(np.max(np.abs(old), initial=0.0, where=np.isfinite(old)))
    worst = float(np.max(change, initial=0.0))
    return worst if worst <= _ULPS * eps * largest else None


def _assign(homes: dict[int, list[list[int]]], count: int) -> dict[int, list[int]]:
    """Give each input axis its own axis in every output; axes that find none are left out."""
    assigned: dict[int, list[int]] = {}
    for axis, places in homes.items():
        free = [
            next((place for place in places[number] if all(place != other[number] for other in assigned.values())), -1)
            for number in range(count)
        ]
        if min(free, default=-1) >= 0:
            assigned[axis] = free
    return assigned
