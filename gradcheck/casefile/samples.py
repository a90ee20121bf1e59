"""The draws themselves: each takes a generator, a shape and the numbers of the draw, and returns float64 or int64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.casefile.draws import size_complaint

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Numbers: TypeAlias = dict[str, Any]


def _normal(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    return np.asarray(p["loc"] + p["scale"] * rng.standard_normal(shape))


def _uniform(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    low, high = float(p["low"]), float(p["high"])
    if not low < high:
        raise ValueError(f"low ({low:g}) is not below high ({high:g})")
    return np.asarray(low + (high - low) * rng.random(shape))


def _positive(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    return np.asarray(p["low"] + p["scale"] * np.abs(rng.standard_normal(shape)))


def _integers(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    if not p["low"] < p["high"]:
        raise ValueError(f"low ({p['low']}) is not below high ({p['high']})")
    return np.asarray(rng.integers(p["low"], p["high"], shape), dtype=np.int64)


def _permutation(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    size = math.prod(shape)
    population = size if p["high"] is None else p["high"] - p["low"]
    if population < size:
        raise ValueError(f"{size} different numbers do not fit between {p['low']} and {p['high']}")
    if problem := size_complaint((population,)):
        raise ValueError(problem)
    return np.asarray(p["low"] + rng.permutation(population)[:size].reshape(shape), dtype=np.int64)


def _one_hot(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    axis = _axis(p["axis"], shape)
    array: Array = np.zeros(shape)
    if array.size:
        rows = (*shape[:axis], 1, *shape[axis + 1 :])
        np.put_along_axis(array, rng.integers(0, shape[axis], rows), 1.0, axis)
    return array


def _simplex(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    axis = _axis(p["axis"], shape)
    logits = p["scale"] * rng.standard_normal(shape)
    if not logits.size:
        return np.zeros(shape)
    weights = np.exp(logits - logits.max(axis, keepdims=True))
    return np.asarray(weights / weights.sum(axis, keepdims=True))


def _bernoulli(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    if not 0 <= p["p"] <= 1:
        raise ValueError(f"p ({p['p']:g}) is no probability")
    return np.asarray((rng.random(shape) < p["p"]).astype(np.float64))


def _distinct(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    return np.asarray(_spread(rng, shape, 0.25) * p["gap"] + p["loc"])


def _spread(rng: np.random.Generator, shape: Shape, shift: float) -> Array:
    """Return a shuffled sequence of step 1 around zero; shifted by a quarter it has neither zero nor mirrored pairs."""
    size = math.prod(shape)
    return np.asarray((rng.permutation(size) - (size - 1) / 2 + shift).reshape(shape))


def _away_from(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    normal = rng.standard_normal(shape)
    return np.asarray(p["from"] + np.where(normal >= 0, 1.0, -1.0) * (p["gap"] + p["scale"] * np.abs(normal)))


def _ties(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    axis = _axis(p["axis"], shape)
    array: Array = np.asarray(_spread(rng, shape, 0.25) * p["gap"])
    if array.size and shape[axis] > 1:
        order = np.argsort(array, axis)
        first = np.take(order, [-1], axis)
        second = np.take(order, [-2], axis)
        np.put_along_axis(array, second, np.take_along_axis(array, first, axis), axis)
    return array


def _ones(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    return np.ones(shape)


def _constant(rng: np.random.Generator, shape: Shape, p: Numbers) -> Array:
    return np.full(shape, float(p["value"]))


def _axis(axis: Any, shape: Shape) -> int:
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis {axis} is out of range for shape {list(shape)}")
    return int(axis) % len(shape)


DRAWERS: dict[str, Callable[[np.random.Generator, Shape, Numbers], Array]] = {
    "normal": _normal,
    "uniform": _uniform,
    "positive": _positive,
    "integers": _integers,
    "permutation": _permutation,
    "one-hot": _one_hot,
    "simplex": _simplex,
    "bernoulli": _bernoulli,
    "distinct": _distinct,
    "away-from": _away_from,
    "ties": _ties,
    "ones": _ones,
    "constant": _constant,
}
