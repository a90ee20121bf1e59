"""Inputs that are numbers are quantities like options."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.rules.judgement import explain
from gradcheck.rules.view import View

from .stand import Stand
from .test_similar import random


def first(forward, backward, inputs, wrt=("x",)):
    bench = Stand(forward, backward, inputs, wrt)
    (finding,) = explain(bench.truth(), bench.account())
    return finding


@pytest.mark.parametrize(
    ("forward", "word"),
    [
        (lambda x, f: f * np.sin(x), "1/f"),
        (lambda x, f: (1 - f) * np.sin(x), "1/(1 - f)"),
        (lambda x, f: np.sin(x) / f, "f"),
        (lambda x, f: np.sin(x) / (1 - f), "(1 - f)"),
    ],
)
def test_a_number_that_got_lost_is_an_inner_factor(forward, word) -> None:
    found = first(forward, lambda g, x, f: (g * np.cos(x),), {"x": random(4, 3), "f": np.array(0.37)})

    assert found.rule == "missing-inner-factor"
    assert found.message.endswith(f"that is {word}")
    assert "reused-input-not-accumulated" not in found.also


def test_a_number_that_is_a_loss_weight_is_no_weight_of_samples() -> None:
    def forward(x, f):
        return f * np.tanh(x @ np.arange(1.0, 4.0))

    def backward(g, x, f):
        d = 1 - np.tanh(x @ np.arange(1.0, 4.0)) ** 2
        return (np.outer(g * d, np.arange(1.0, 4.0)),)

    found = first(forward, backward, {"x": 0.3 * random(4, 3), "f": np.array(2.3)})

    assert found.rule == "missing-inner-factor"
    assert "sample-weight-not-in-backward" not in found.also


def test_a_number_that_is_differentiated_is_none_of_its_own_options() -> None:
    bench = Stand(
        lambda x, f: f * x, lambda g, x, f: (g * f, (g * x).sum()), {"x": random(3), "f": np.array(2.3)}, ("x", "f")
    )

    assert View(bench.truth(), None, "x").truth.options == {"f": 2.3}
    assert View(bench.truth(), None, "f").truth.options == {}


def test_a_factor_that_no_number_equals_has_no_name() -> None:
    found = first(
        lambda x, f: f * np.sin(x), lambda g, x, f: (g * 1.7 * np.cos(x),), {"x": random(4, 3), "f": np.array(0.37)}
    )

    assert found.rule == "mismatch"


def test_a_factor_that_does_not_follow_the_number_is_not_it() -> None:
    """What equals 2 f here alone, since f is 1, is a lost 2."""
    found = first(
        lambda x, f: f * np.sin(x), lambda g, x, f: (2 * f * g * np.cos(x),), {"x": random(4, 3), "f": np.array(1.0)}
    )

    assert found.rule == "factor-two"


def test_a_path_through_a_number_that_is_missing_is_still_one() -> None:
    found = first(
        lambda x, f: np.sin(x) + f * x**2, lambda g, x, f: (g * np.cos(x),), {"x": random(4, 3), "f": np.array(0.37)}
    )

    assert found.rule == "reused-input-not-accumulated"
    assert found.message == "the path through f is missing"


def test_numbers_as_options_reach_the_forward_and_the_backward_as_inputs() -> None:
    bench = Stand(lambda x, f: f * x, lambda g, x, f: (g * f,), {"x": random(3), "f": np.float32(2.0)}, ("x",))
    view = View(bench.truth(), bench.account(), "x")

    np.testing.assert_allclose(view.measure(options={"f": 3.0}), 3 * np.eye(3), atol=1e-9)
    assert view.account is not None
    answer = view.account.elsewhere({}, {"f": 5.0}, [np.ones(3)])
    assert answer is not None
    np.testing.assert_allclose(answer[0]["x"], 5.0)
