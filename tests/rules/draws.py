"""Inputs of the layers in these tests: each draw is a function of a generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Draw = Callable[[np.random.Generator], np.ndarray]


def normal(*shape: int, scale: float = 1.0, loc: float = 0.0, pin: Sequence = ()) -> Draw:
    def draw(rng):
        array = loc + scale * rng.standard_normal(shape)
        for index, value in pin:
            array[index] = value
        return array

    return draw


def positive(*shape: int) -> Draw:
    return lambda rng: 0.5 + np.abs(rng.standard_normal(shape))


def uniform(low: float, high: float, *shape: int) -> Draw:
    return lambda rng: rng.uniform(low, high, shape)


def away(*shape: int) -> Draw:
    def draw(rng):
        z = rng.standard_normal(shape)
        return np.where(z >= 0, 1.0, -1.0) * (0.2 + np.abs(z))

    return draw


def simplex(*shape: int) -> Draw:
    def draw(rng):
        e = np.exp(rng.standard_normal(shape))
        return e / e.sum(-1, keepdims=True)

    return draw


def integers(high: int, *shape: int) -> Draw:
    return lambda rng: rng.integers(0, high, shape)


def distinct(*shape: int) -> Draw:
    def draw(rng):
        size = int(np.prod(shape))
        return ((rng.permutation(size) - (size - 1) / 2 + 0.25) * 0.1).reshape(shape)

    return draw


def bernoulli(*shape: int, p: float = 0.5, pin: Sequence = ()) -> Draw:
    def draw(rng):
        array = (rng.random(shape) < p).astype(float)
        for index, value in pin:
            array[index] = value
        return array

    return draw


def values(data, dtype=None) -> Draw:
    array = np.array(data)
    if dtype is None and array.dtype.kind == "f":
        dtype = float
    return lambda rng: array.astype(dtype or array.dtype)
