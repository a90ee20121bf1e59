"""What the user's code is handed, and what is kept for its next call."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import gradcheck
from gradcheck.layers import Gradients
from gradcheck.trial.calls import Caller, keep_freed_memory

X = np.random.default_rng(3).standard_normal((30, 8))


class Doubling:
    """A layer that remembers its arguments and writes into them."""

    name, inputs, options, defaults, source = "doubling", ("x", "w"), (), {}, None

    def __init__(self):
        self.seen = []

    def forward(self, inputs, options):
        self.seen.append(inputs)
        inputs["x"] *= 2
        return (inputs["x"] * inputs["w"],)

    def vjp(self, upstream, inputs, outputs, options, wrt):
        return Gradients({"x": 2 * upstream[0] * inputs["w"]})

    def fresh(self):
        return Doubling()


def test_an_input_that_nobody_else_holds_is_handed_over_as_it_is():
    layer, x, w = Doubling(), X.copy(), np.ones(8)

    (output,) = Caller(layer, {}).borrow({"x": x, "w": w}, given="x")

    assert layer.seen[0]["x"] is x
    assert layer.seen[0]["w"] is not w
    assert np.array_equal(output, 2 * X)


def test_every_other_input_is_a_copy():
    layer, x, w = Doubling(), X.copy(), np.ones(8)

    Caller(layer, {}).borrow({"x": x, "w": w})
    Caller(layer, {}).forward({"x": x, "w": w})

    assert np.array_equal(x, X)
    assert all(not np.shares_memory(inputs[name], {"x": x, "w": w}[name]) for inputs in layer.seen for name in inputs)


def test_what_is_handed_over_lies_in_memory_as_a_copy_does():
    layer, x = Doubling(), np.asfortranarray(X)

    Caller(layer, {}).borrow({"x": x, "w": np.ones(8)}, given="x")

    assert layer.seen[0]["x"].flags.c_contiguous
    assert np.array_equal(x, X)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("factor", "verdict"), [(4.0, "pass"), (4.01, "fail")])
def test_a_forward_that_writes_into_its_argument_is_measured_where_it_was_called(order, factor, verdict):
    def square(x):
        x *= 2
        return x * x / 2

    report = gradcheck.check(square, lambda g, x: factor * g * x, {"x": np.asarray(X, order=order)})

    assert {part.verdict for part in report.inputs} == {verdict}


@pytest.mark.parametrize(("size", "least", "most"), [(1 << 14, 1 << 24, 1 << 25), (1 << 13, 0, 1 << 16)])
def test_only_large_arrays_are_worth_keeping_memory_for(size, least, most):
    arrays = [np.zeros(3), np.zeros(size)]
    tracemalloc.start()
    try:
        keep_freed_memory(arrays)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert least <= peak < most
    assert held < 1 << 16
