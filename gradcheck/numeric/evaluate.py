"""Calls of the function under measurement: counted, on fresh arrays, never raising for a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = "NDArray[np.float64]"
Indices: TypeAlias = "NDArray[np.intp]"
Mask: TypeAlias = "NDArray[np.bool_]"
_Kind = TypeVar("_Kind", bound=np.generic)
Function: TypeAlias = "Callable[[Array], Array]"


class ManyAtOnce(Protocol):
    """What a function may offer besides being called: values at several points for less than as many calls.

    Attributes
    ----------
    together
        Points that are handed over at once; 1: none are, for now.
    """

    together: int

    def many(self, points: Sequence[Array]) -> Sequence[Array]:
        """Return one flat array of M numbers per point, as separate calls would, bit for bit."""


class Evaluator:
    """A function of one array whose evaluations are counted: one per point, however many go through one call.

    Parameters
    ----------
    function
        Takes a float64 array and returns the outputs as one flat array of M numbers. Where it is also a
        :class:`ManyAtOnce`, points that do not depend on each other's values are handed over together.
    outputs
        M, where it is known; otherwise the first call says it. A later call that returns another number of
        outputs counts as one whose outputs are all nan: at that point the function is another one.
    """

    def __init__(self, function: Function, outputs: int | None = None) -> None:
        self._function = function
        self._outputs = outputs
        self.count = 0

    def __call__(self, x: Array) -> Array:
        """Value at `x`, as an array that nobody else holds; `x` itself is not handed out."""
        # copies on both sides: the function may write into its argument, and may return a buffer that it reuses
        return np.array(self.view(x.copy()))

    def view(self, x: Array) -> Array:
        """Value at `x`, which the function may overwrite, valid until the next call."""
        self.count += 1
        with np.errstate(all="ignore"):
            value = self._function(x)
        return self._fit(value)

    def many(self, points: Iterable[Array]) -> Iterator[Array]:
        """Values at several points, in their order; each is valid until the next one is asked for.

        The points are taken when they are needed: one at a time, or as many as the function takes at once. They
        may be overwritten. So what is held is bounded by the function, not by the number of points.
        """
        points = iter(points)
        while batch := list(islice(points, self.together)):
            if len(batch) == 1:
                yield self.view(batch.pop())
                continue
            self.count += len(batch)
            with np.errstate(all="ignore"):
                values = cast("ManyAtOnce", self._function).many(batch)
            for value in values:
                yield self._fit(value)

    @property
    def together(self) -> int:
        """Points that the function takes at once; it may change its mind between two calls."""
        return max(1, int(getattr(self._function, "together", 1)))

    def _fit(self, value: ArrayLike) -> Array:
        value = np.asarray(value, dtype=np.float64).reshape(-1)
        if self._outputs is None:
            self._outputs = value.size
        elif value.size != self._outputs:
            return np.full(self._outputs, np.nan)
        return value


def as_evaluator(function: Function | Evaluator) -> Evaluator:
    """Wrap `function` unless its calls are counted already."""
    return function if isinstance(function, Evaluator) else Evaluator(function)


def pick(values: NDArray[_Kind], columns: Indices | Mask) -> NDArray[_Kind]:
    """Columns of (S, n) values: C numbers, or (S, C) where every row has its own."""
    if columns.ndim == 2:
        return np.take_along_axis(values, np.asarray(columns, dtype=np.intp), axis=1)
    chosen: NDArray[_Kind] = values[:, columns]
    return chosen


def power_of_two(values: Array) -> Array:
    """Round to the nearest power of two (by exponent); such steps keep x + h and x - h exact."""
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.round(np.log2(values))
    return np.asarray(2.0**exponent, dtype=np.float64)


def root_sum_squares(values: Array) -> Array:
    """Root of the sum of squares along the last axis, without underflow of the squares."""
    if values.shape[-1] == 0:
        return np.zeros(values.shape[:-1])
    with np.errstate(under="ignore", invalid="ignore", over="ignore"):
        plain: Array = np.sqrt(np.einsum("...i,...i->...", values, values))
    if bool(((plain > 1e-140) & (plain < 1e140)).all()):  # no square left the range of numbers
        return plain
    size = np.abs(values)
    largest = size.max(axis=-1, keepdims=True)
    unit = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    with np.errstate(under="ignore", invalid="ignore", over="ignore"):
        scaled: Array = (unit * np.sqrt(((size / unit) ** 2).sum(axis=-1, keepdims=True)))[..., 0]
    return scaled


def norm(values: Array) -> float:
    """Root of the sum of squares of all values.

    ``np.linalg.norm`` and ``np.dot`` leave it to BLAS: its threads keep a core busy for long after a large sum, and as
    many cores as there are, so many partial sums, and another last bit.
    """
    return float(root_sum_squares(values.reshape(1, -1))[0])


def root_mean_square(values: Array) -> float:
    """Root mean square over the finite values; 0 where there are none."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0
    return norm(finite) / float(np.sqrt(finite.size))


def median(values: ArrayLike) -> float:
    """Return the median of all values; nan if one of them is, or there is none.

    As ``np.median`` does; that imports ``numpy.ma``, which takes as long as a small check.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=None)
    if not ordered.size or np.isnan(ordered[-1]):
        return float(np.nan)
    middle = ordered.size // 2
    return float(ordered[middle] if ordered.size % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def percentile(values: Array, percent: float) -> float:
    """Return a percentile of some finite values, between two of them by proportion, as ``np.percentile`` does."""
    ordered = np.sort(values, axis=None)
    place = (ordered.size - 1) * percent / 100
    below = int(place)
    above = min(below + 1, ordered.size - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))
