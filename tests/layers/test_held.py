"""What a backward leaves on its object, and the object put back as it was."""

from __future__ import annotations

import numpy as np

from gradcheck.layers import wrap
from gradcheck.layers.held import held_arrays, moved_arrays


class Counted:
    def __init__(self):
        self.W = np.ones((2, 2))
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        self.W *= 2
        return x @ self.W * self.calls

    def backward(self, g):
        self.W -= 1
        return g @ self.W.T


X = np.eye(2)


def test_arrays_that_moved():
    thing = Counted()
    before = held_arrays(thing)

    assert moved_arrays(thing, before) == {}
    thing.W[0, 0] = 5

    assert list(moved_arrays(thing, before)) == ["W"]
    one, other = moved_arrays(thing, before)["W"]
    assert (one[0, 0], other[0, 0]) == (1, 5)


def test_a_layer_is_watched_only_where_it_is_asked_for():
    layer = wrap(Counted())
    outputs = layer.forward({"x": X}, {})
    layer.vjp([X], {"x": X}, outputs, {}, ("x",))
    assert layer.moved == {}

    layer.watching = True
    layer.vjp([X], {"x": X}, outputs, {}, ("x",))

    assert list(layer.moved) == ["W"]


def test_a_checkpoint_puts_the_object_back():
    layer = wrap(Counted())
    put_back = layer.checkpoint()
    first = layer.forward({"x": X}, {})[0].copy()
    assert not np.array_equal(layer.forward({"x": X}, {})[0], first)

    for _ in range(2):
        put_back()
        assert np.array_equal(layer.forward({"x": X}, {})[0], first)


def test_a_checkpoint_of_this_moment():
    layer = wrap(Counted())
    layer.forward({"x": X}, {})
    put_back = layer.checkpoint(now=True)
    second = layer.forward({"x": X}, {})[0].copy()
    layer.forward({"x": X}, {})

    put_back()

    assert np.array_equal(layer.forward({"x": X}, {})[0], second)


def test_a_chain_puts_all_its_objects_back():
    chain = wrap([Counted(), Counted()])
    put_back = chain.checkpoint()
    first = chain.forward({"x": X}, {})[0].copy()
    assert not np.array_equal(chain.forward({"x": X}, {})[0], first)

    put_back()

    assert np.array_equal(chain.forward({"x": X}, {})[0], first)


def test_static_methods_have_nothing_to_put_back():
    class Static:
        @staticmethod
        def forward(x):
            return x

        @staticmethod
        def backward(g):
            return g

    assert wrap(Static).checkpoint() is None


def test_an_array_of_the_object_becomes_a_parameter():
    layer = wrap(Counted())
    assert "W" not in layer.parameters

    assert layer.adopt("W")
    assert not layer.adopt("V")

    assert np.array_equal(layer.forward({"x": X, "W": 3 * X}, {})[0], 6 * X)
    layer.release("W")
    assert not np.array_equal(layer.forward({"x": X, "W": 3 * X}, {})[0], 12 * X)
