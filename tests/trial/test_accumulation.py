"""Nodes must add to the gradients of their parents, which a single backward onto zeros does not show."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.layers.build import build
from gradcheck.model import LayerSpec
from gradcheck.trial.trial import try_layer

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3))


class Node:
    def __init__(self, data, *parents):
        self.data = np.asarray(data, float)
        self.g = np.zeros(self.data.shape)
        self.parents = parents


class Product(Node):
    def __init__(self, a, b):
        super().__init__(a.data * b.data, a, b)

    def _back(self, a, b):
        a.g += b.data * self.g
        b.g += a.data * self.g


class Rebinding(Product):
    def _back(self, a, b):
        a.g = a.g + b.data * self.g
        b.g = b.g + a.data * self.g


class Assigning(Product):
    def _back(self, a, b):
        a.g = b.data * self.g
        b.g = a.data * self.g


class AssigningOne(Product):
    def _back(self, a, b):
        a.g += b.data * self.g
        b.g[:] = a.data * self.g


class Fading(Product):
    def _back(self, a, b):
        a.g = 0.5 * a.g + b.data * self.g
        b.g += a.data * self.g


class Returning(Product):
    def _back(self, a, b):
        return b.data * self.g, a.data * self.g


class Value:
    def __init__(self, data):
        self.data, self.grad = data, None

    def cube(self):
        out = Value(self.data**3)

        def _backward():
            part = 3 * self.data**2 * out.grad
            self.grad = part if self.grad is None else self.grad + part

        out._backward = _backward
        return out

    def square(self):
        out = Value(self.data**2)

        def _backward():
            self.grad = 2 * self.data * out.grad

        out._backward = _backward
        return out


@pytest.mark.parametrize("kind", [Product, Rebinding, Returning])
def test_nodes_that_add_or_return_pass(kind):
    report = gradcheck.check(kind, None, {"a": A, "b": B})

    assert report.verdict == "pass"
    assert report.findings == []


@pytest.mark.parametrize(
    ("kind", "wrong", "words"),
    [
        (Assigning, ["a", "b"], "overwrites the gradient"),
        (AssigningOne, ["b"], "overwrites the gradient"),
        (Fading, ["a"], "does not add to the gradient"),
    ],
)
def test_nodes_that_set_the_gradient_fail_by_name(kind, wrong, words):
    report = gradcheck.check(kind, None, {"a": A, "b": B})

    assert report.verdict == "fail"
    assert [(item.rule, item.wrt) for item in report.findings] == [
        ("reused-input-not-accumulated", name) for name in wrong
    ]
    assert all(words in item.message for item in report.findings)
    assert all(part.verdict == "pass" for part in report.inputs)


@pytest.mark.parametrize(("method", "verdict"), [("cube", "pass"), ("square", "fail")])
@pytest.mark.parametrize("chained", [False, True], ids=["alone", "chain"])
def test_nodes_made_by_a_method_whose_gradient_begins_as_none(method, verdict, chained):
    node = LayerSpec(node=f"{__file__}:Value", forward=method)
    spec = LayerSpec(chain=[node, LayerSpec(node=f"{__file__}:Value", forward="cube")]) if chained else node

    report = try_layer(build(spec), {next(iter(build(spec).inputs)): A})

    assert report.verdict == verdict
    assert [item.rule for item in report.findings] == ["reused-input-not-accumulated"] * (verdict == "fail")
    if chained and verdict == "fail":
        assert report.findings[0].at
