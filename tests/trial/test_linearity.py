"""Whether the backward is linear in its upstream: what breaks a law, and what is the rounding of a zero."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.model import Verdict


def sign(x):
    return x / np.abs(x)


def cancelling_backward(g, x):
    # zero, but for the rounding of its two terms
    return g / np.abs(x) - g * x * x / np.abs(x) ** 3


def other_cancelling_backward(g, x):
    return g * x / np.abs(x) ** 2 * np.sign(x) - g / np.abs(x)


@pytest.mark.parametrize("backward", [cancelling_backward, other_cancelling_backward])
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3])
def test_the_rounding_of_a_gradient_that_is_zero_breaks_no_law(backward, scale):
    for seed in range(12):
        x = scale * np.random.default_rng(seed).standard_normal((2, 2))
        report = gradcheck.check(sign, backward, {"x": x}, seed=seed)

        assert (report.verdict, report.findings) == (Verdict.UNDECIDED, []), (seed, str(report))


@pytest.mark.parametrize(
    "backward",
    [
        lambda g, x: np.abs(g) * x,
        lambda g, x: np.clip(g, -1e-3, 1e-3) * x,
        lambda g, x: 1e-9 * np.abs(g) / np.abs(x),
        lambda g, x: cancelling_backward(g, x) + 1e-9 * (g > 0) * g / np.abs(x),
    ],
)
def test_where_the_true_gradient_is_zero_a_backward_is_linear_all_the_same(backward):
    x = np.random.default_rng(1).standard_normal((3, 4))
    report = gradcheck.check(sign, backward, {"x": x})

    assert report.verdict is Verdict.FAIL
    assert report.findings[0].rule == "nonlinear-in-upstream"


def test_tied_maxima_are_no_excuse():
    def top(x):
        return np.max(x, axis=1)

    def backward(g, x):
        return (x == x.max(axis=1, keepdims=True)) * np.abs(g)[:, None]

    report = gradcheck.check(top, backward, {"x": np.array([[1.0, 2.0, 2.0], [3.0, 1.0, 3.0]])})
    assert report.verdict is Verdict.FAIL
    assert "nonlinear-in-upstream" in {finding.rule for finding in report.findings}
