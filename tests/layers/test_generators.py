"""Random generators are found wherever a layer draws from them, and numpy's own objects are left alone."""

from __future__ import annotations

import functools
import random

import numpy as np
import pytest

from gradcheck.layers import wrap
from gradcheck.layers.generators import find_generators, move_on, put_back, state_of

MODULE = np.random.default_rng(1)
SHELF = {"rngs": [random.Random(2)]}
DRAW = np.random.RandomState(3).random_sample


class Holder:
    kind_wide = np.random.default_rng(4)

    def __init__(self) -> None:
        self.parts = [{"rng": np.random.RandomState(5)}]

    def forward(self, x):
        return x

    def backward(self, g):
        return g


def closed_over(rng):
    def draw(x):
        return x * rng.random()

    return draw


def from_module(x):
    return x * MODULE.random()


def from_shelf(x):
    return x * SHELF["rngs"][0].random()


def from_method(x):
    return x * DRAW()


def by_way_of_another(x):
    return from_module(x)


def draws_nothing(x):
    return np.tanh(x)


@pytest.mark.parametrize(
    ("thing", "kinds"),
    [
        pytest.param(from_module, [np.random.Generator], id="module"),
        pytest.param(by_way_of_another, [np.random.Generator], id="through a function"),
        pytest.param(from_shelf, [random.Random], id="in containers"),
        pytest.param(from_method, [np.random.RandomState], id="a method of a generator"),
        pytest.param(closed_over(np.random.default_rng(0)), [np.random.Generator], id="closure"),
        pytest.param(functools.partial(from_module), [np.random.Generator], id="partial"),
        pytest.param(functools.partial(draws_nothing, np.random.default_rng(0)), [np.random.Generator], id="argument"),
        pytest.param(draws_nothing, [], id="none"),
        pytest.param(random.SystemRandom(), [], id="one without a state"),
    ],
)
def test_generators_are_found(thing, kinds):
    assert [type(item) for item in find_generators(thing)] == kinds


def test_generators_of_an_object_and_of_its_class():
    holder = Holder()

    found = find_generators(wrap(holder))

    assert holder.parts[0]["rng"] in found
    assert Holder.kind_wide in found


@pytest.mark.parametrize(
    "generator", [np.random.default_rng(0), np.random.RandomState(0), random.Random(0)], ids=lambda g: type(g).__name__
)
def test_a_state_is_put_back_and_moved_on(generator):
    draw = generator.random if hasattr(generator, "random") else generator.random_sample
    state = state_of(generator)
    first = draw()
    put_back(generator, state)
    assert draw() == first

    put_back(generator, state)
    move_on(generator, 1)
    assert draw() != first


def test_a_state_of_another_kind_changes_nothing():
    generator = np.random.default_rng(0)
    before = state_of(generator)

    put_back(generator, state_of(random.Random(0)))

    assert state_of(generator) == before
