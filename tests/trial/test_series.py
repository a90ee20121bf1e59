"""Backward calls for many upstreams at the same inputs: with as few forwards as the layer bears."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import gradcheck

X = np.random.default_rng(5).standard_normal((3, 40))


class Layer:
    """Softmax of the rows; how it remembers its output is what differs."""

    def __init__(self):
        self.seen = []

    def forward(self, x):
        self.seen.append("forward")
        e = np.exp(x - x.max(1, keepdims=True))
        self.kept = e / e.sum(1, keepdims=True)
        self.age = 0
        return self.kept

    def backward(self, g):
        self.seen.append("backward")
        s = self.recall()
        return s * (g - (g * s).sum(1, keepdims=True))

    def recall(self):
        return self.kept


class UsesUp(Layer):
    """Has nothing left for a second backward."""

    def recall(self):
        kept, self.kept = self.kept, None
        return kept


class Spoils(Layer):
    """Overwrites what it keeps: a second backward would be told something else."""

    def recall(self):
        kept = self.kept.copy()
        self.kept *= 0.5
        return kept


class Tires(Layer):
    """Forgets what it keeps after the fifth backward."""

    def recall(self):
        self.age += 1
        return self.kept if self.age <= 5 else self.kept * 0


def pairs_of(seen):
    """How many of the backwards come right after a forward, and how many do not."""
    after = [before == "forward" for before, now in pairwise(seen) if now == "backward"]
    return sum(after), len(after) - sum(after)


def test_one_forward_serves_many_backwards_where_it_is_enough():
    layer = Layer()

    report = gradcheck.check(layer, inputs={"x": X})

    assert report.verdict == "pass"
    assert pairs_of(layer.seen)[1] >= X.shape[1]  # without a forward of their own


@pytest.mark.parametrize("kind", [UsesUp, Spoils, Tires])
def test_a_layer_that_needs_its_forward_gets_it(kind):
    layer = kind()

    report = gradcheck.check(layer, inputs={"x": X})

    assert report.verdict == "pass"
    assert pairs_of(layer.seen)[0] >= X.shape[1]


def test_a_row_that_is_wrong_is_seen_with_one_forward():
    scale = np.where(np.arange(40) == 0, 1e6, 1.0)  # in a sum over the outputs the others are lost
    calls = []

    def forward(x):
        calls.append("forward")
        return np.sin(x) * scale

    def backward(g, x):
        calls.append("backward")
        return (g * scale * np.where(np.arange(40) == 17, 1.02, 1.0)).sum(1, keepdims=True) * np.cos(x)

    report = gradcheck.check(forward, backward, {"x": X[:, :1]})

    assert report.verdict == "fail"
    assert pairs_of(calls)[1] >= 40


def test_draws_of_the_global_generator_are_the_same_for_each_backward():
    class Dropout(Layer):
        def forward(self, x):
            self.seen.append("forward")
            self.mask = np.random.random(x.shape) < 0.5
            return x * self.mask

        def backward(self, g):
            self.seen.append("backward")
            return g * self.mask

    report = gradcheck.check(Dropout(), inputs={"x": X})

    assert report.verdict == "pass"
