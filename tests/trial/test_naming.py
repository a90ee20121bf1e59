"""Names that take more than one call of the backward: steps of the optimiser inside of it."""

from __future__ import annotations

import numpy as np

import gradcheck

RNG = np.random.default_rng(11)
X, W = RNG.standard_normal((3, 4)), RNG.standard_normal(4)


def scale(x, w):
    return np.tanh(x * w)


def step_between_uses(g, x, w):
    d = g * (1 - np.tanh(x * w) ** 2)  # w as it was given
    dw = (d * x).sum(0)
    w -= 0.1 * dw
    return d * w, dw  # w as it is now


def step_after_all_uses(g, x, w):
    d = np.maximum(g, 0) * (1 - np.tanh(x * w) ** 2)
    dx, dw = d * w, (d * x).sum(0)
    w -= 0.1 * dw
    return dx, dw


def other_change_between_uses(g, x, w):
    d = g * (1 - np.tanh(x * w) ** 2)
    dw = (d * x).sum(0)
    w -= 0.1 * dw**2
    return d * w, dw


def first(backward):
    return gradcheck.check(scale, backward, {"x": X, "w": W}).findings[0]


def test_step_between_two_uses_of_a_parameter():
    finding = first(step_between_uses)

    assert (finding.rule, finding.wrt) == ("uses-updated-parameters", "x")
    assert finding.message == "w was moved by -0.1 times its gradient while the gradient of x was computed"


def test_a_step_that_explains_nothing_is_not_blamed():
    assert first(step_after_all_uses).rule != "uses-updated-parameters"


def test_a_change_that_is_no_step_is_not_called_one():
    assert first(other_change_between_uses).rule != "uses-updated-parameters"


def test_a_size_called_dim_is_no_axis():
    x = np.random.default_rng(0).standard_normal((2, 4))

    def backward(g, x, dim):
        return g

    axes = [gradcheck.check(lambda x, dim: x, backward, {"x": x}, options={"dim": dim}).axis for dim in (4, 1)]
    assert axes == [None, 1]
