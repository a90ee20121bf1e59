"""A backward that takes the optimiser's step on what its object holds."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.model import Severity

X = np.random.default_rng(1).standard_normal((6, 5))


class Right:
    def __init__(self):
        self.W = np.random.default_rng(0).standard_normal((5, 2))

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.W)

    def local(self, g):
        return g * (1 - np.tanh(self.x @ self.W) ** 2)

    def backward(self, g):
        return self.local(g) @ self.W.T


class Linear(Right):
    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, g):
        self.W -= 0.1 * self.x.T @ g
        return g @ self.W.T


class InPlace(Right):
    def backward(self, g):
        d = self.local(g)
        self.W -= 0.1 * self.x.T @ d
        return d @ self.W.T


class Rebound(Right):
    def backward(self, g):
        d = self.local(g)
        self.dW = self.x.T @ d
        self.W = self.W - 0.1 * self.dW
        return d @ self.W.T


class After(Right):
    def backward(self, g):
        d = self.local(g)
        dx = d @ self.W.T
        self.W -= 0.1 * self.x.T @ d
        return dx


class AfterWithGradient(Right):
    def backward(self, g):
        d = self.local(g)
        dx, self.dW = d @ self.W.T, self.x.T @ d
        self.W -= 0.1 * self.dW
        return dx


class ForwardMoves(Right):
    def forward(self, x):
        self.W *= 1.5
        return super().forward(x)

    def backward(self, g):
        self.dW = 1.5 * self.x.T @ self.local(g)
        return self.local(g) @ self.W.T


class Twice(After):
    def backward(self, g):
        return 2 * super().backward(g)


@pytest.mark.parametrize("kind", [Linear, InPlace, Rebound])
@pytest.mark.parametrize("made", [True, False], ids=["instance", "class"])
@pytest.mark.parametrize("wrt", [["x"], None], ids=["x", "all"])
def test_a_gradient_through_the_moved_weights_is_named(kind, made, wrt):
    report = gradcheck.check(kind() if made else kind, None, {"x": X}, wrt=wrt)

    assert report.verdict == "fail"
    assert report.findings[0].rule == "uses-updated-parameters"
    assert report.findings[0].wrt == "x"
    assert "W" in report.findings[0].message


@pytest.mark.parametrize("kind", [After, AfterWithGradient])
@pytest.mark.parametrize("wrt", [["x"], None], ids=["x", "all"])
def test_a_step_after_the_gradient_is_a_warning(kind, wrt):
    report = gradcheck.check(kind, None, {"x": X}, wrt=wrt)

    assert report.verdict == "pass"
    assert [(item.rule, item.severity) for item in report.findings] == [("mutates-input", Severity.WARNING)]
    assert "the backward changes W" in report.findings[0].message


def test_a_forward_that_moves_a_weight_is_a_bug():
    report = gradcheck.check(ForwardMoves, None, {"x": X}, wrt=["x", "W"])

    assert report.verdict == "fail"
    assert "mutates-input" in [item.rule for item in report.findings if item.severity is Severity.BUG]


class Negated(Right):
    def backward(self, g):
        d = self.local(g)
        self.dW = -self.x.T @ d
        return d @ self.W.T


def test_gradients_that_are_left_on_the_object_are_no_step():
    report = gradcheck.check(Negated(), None, {"x": X}, wrt=["x", "W"])

    assert [(item.rule, item.wrt) for item in report.findings] == [("sign-error", "W")]


@pytest.mark.parametrize(("kind", "rule"), [(Twice, "factor-two")])
def test_another_bug_beside_the_step_keeps_its_name(kind, rule):
    report = gradcheck.check(kind, None, {"x": X}, wrt=["x"])

    assert report.findings[0].rule == rule


def test_a_layer_that_moves_nothing_has_no_finding():
    report = gradcheck.check(Right, None, {"x": X}, wrt=["x"])

    assert report.verdict == "pass"
    assert report.findings == []


def test_functions_whose_backward_moves_what_the_forward_reads():
    held = {"W": np.random.default_rng(0).standard_normal((5, 2))}

    def backward(g, x):
        dx = g @ held["W"].T
        held["W"] = held["W"] - 0.1 * x.T @ g
        return dx

    report = gradcheck.check(lambda x: x @ held["W"], backward, {"x": X})

    assert report.verdict == "fail"
    assert report.findings[0].rule == "remembers-earlier-calls"
    assert "changes what the forward returns" in report.findings[0].message
