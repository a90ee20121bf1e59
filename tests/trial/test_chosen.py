"""Which inputs are differentiated where nobody says so."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.errors import UsageError
from gradcheck.layers.build import wrap
from gradcheck.trial.chosen import choose_inputs

RNG = np.random.default_rng(0)
X = {"x": RNG.standard_normal((4, 3))}


class Affine:
    """Leaves the gradients of its parameters on itself."""

    def __init__(self) -> None:
        self.W = np.random.default_rng(1).standard_normal((3, 2))
        self.b = np.array([0.5, -1.0])

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW, self.db = self.x.T @ g, g.sum(0)
        return g @ self.W.T


class Returning(Affine):
    """Returns them beside that of its input."""

    def backward(self, g):
        dW, db = self.x.T @ g, g.sum(0)
        return g @ self.W.T, dW, db


class Stored(Affine):
    """Returns them by name."""

    def backward(self, g):
        return {"x": g @ self.W.T, "W": self.x.T @ g, "b": g.sum(0)}


class Trained(Affine):
    """Keeps them to itself."""

    def backward(self, g):
        dW = self.x.T @ g
        self.seen = float(np.abs(dW).max())
        return g @ self.W.T


class Negated(Affine):
    """The gradient of its weight has the wrong sign."""

    def backward(self, g):
        dx = super().backward(g)
        self.dW = -self.dW
        return dx


class Unsummed(Affine):
    """The gradient of its bias is not summed over the batch."""

    def backward(self, g):
        dx = super().backward(g)
        self.db = g
        return dx


class Forgetful(Affine):
    """Leaves no gradient of its bias."""

    def backward(self, g):
        self.dW, self.db = self.x.T @ g, None
        return g @ self.W.T


@pytest.mark.parametrize("kind", [Affine, Returning, Stored])
@pytest.mark.parametrize("made", [True, False])
def test_parameters_are_checked_unasked(kind, made):
    report = gradcheck.check(kind() if made else kind, inputs=X)

    assert report.verdict == "pass"
    assert [part.name for part in report.inputs] == ["x", "W", "b"]
    assert report.notes == []


@pytest.mark.parametrize(
    ("kind", "name", "rule"), [(Negated, "W", "sign-error"), (Unsummed, "b", "broadcast-not-summed")]
)
def test_a_wrong_gradient_of_one_is_found_unasked(kind, name, rule):
    report = gradcheck.check(kind(), inputs=X)

    assert report.verdict == "fail"
    assert (report.findings[0].rule, report.findings[0].wrt) == (rule, name)


def test_it_can_be_left_out():
    assert gradcheck.check(Negated(), inputs=X, wrt=["x"]).verdict == "pass"


@pytest.mark.parametrize(("kind", "left"), [(Forgetful, "b"), (Trained, "W, b")])
def test_what_has_no_gradient_is_said(kind, left):
    report = gradcheck.check(kind(), inputs=X)

    assert report.verdict == "pass"
    assert report.notes == [f"no gradient of {left} was found, which the layer holds: not checked"]


def test_the_layer_knows_nothing_of_the_look():
    layer = wrap(Affine(), inputs=["x"])
    arrays, wrt = choose_inputs(layer, {"x": X["x"].astype(np.float32)}, {}, None)

    assert wrt == ("x", "W", "b")
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}
    assert layer.target.__dict__.keys() == {"W", "b"}


def test_names_that_are_no_inputs():
    layer = wrap(Affine(), inputs=["x"])

    assert choose_inputs(layer, X, {}, ["b", "x"])[1] == ("b", "x")
    with pytest.raises(UsageError, match="wrt names 'w', which is no input"):
        choose_inputs(layer, X, {}, ["w"])
