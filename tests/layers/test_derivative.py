"""Derivatives and gradients that leave the upstream to their caller."""

import numpy as np
import pytest

from gradcheck.errors import UsageError
from gradcheck.layers.build import wrap

from .tools import draw, is_right, pull

X = draw(4, 3)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    "derivative", [lambda x: sigmoid(x) * (1 - sigmoid(x)), lambda s: s * (1 - s), lambda s: ((s * (1 - s)),)]
)
def test_elementwise(derivative):
    assert is_right(wrap(sigmoid, derivative, returns="derivative"), {"x": X})


def test_negative_control():
    assert not is_right(wrap(sigmoid, lambda x: x * (1 - x), returns="derivative"), {"x": X})


def test_numbers_and_rows_broadcast():
    assert is_right(wrap(lambda x: 3 * x, lambda x: 3, returns="derivative"), {"x": X})
    assert is_right(wrap(lambda x: x * np.arange(3.0), lambda x: np.arange(3.0), returns="derivative"), {"x": X})


def test_several_inputs():
    layer = wrap(lambda a, b: a * b, lambda a, b: (b, a), returns="derivative")

    assert is_right(layer, {"a": X, "b": X + 1})


def test_gradient_of_a_scalar_loss():
    layer = wrap(lambda p, t: ((p - t) ** 2).mean(), lambda p, t: 2 * (p - t) / p.size, returns="gradient")

    assert is_right(layer, {"p": X, "t": X + 1}, wrt=["p"])


def test_gradient_of_a_loss_per_sample():
    layer = wrap(lambda p: (p**2).sum(1), lambda p: 2 * p, returns="gradient")

    assert is_right(layer, {"p": X})
    assert is_right(layer, {"p": draw(3, 3)})


@pytest.mark.parametrize("returns", ["derivative", "gradient"])
def test_only_one_output(returns):
    layer = wrap(lambda x: (x, x), lambda x: x, returns=returns)

    with pytest.raises(UsageError) as caught:
        pull(layer, {"x": X})

    assert str(caught.value) == (
        f"returns: {returns} is for a layer with one output, and this one has 2\n"
        "  = help: let the backward take the upstreams and return the product (returns: vjp)"
    )


@pytest.mark.parametrize("returns", ["derivative", "gradient"])
def test_what_cannot_be_multiplied_is_said(returns):
    _, _, found = pull(wrap(lambda x: x, lambda x: np.ones(7), returns=returns), {"x": X})

    assert found.by_input == {}
    assert [(item.rule, item.message) for item in found.mismatches] == [
        (
            "wrong-shape",
            "the backward returned an array of shape (7,) for x, "
            "which cannot be multiplied by the upstream (4, 3) entry by entry",
        )
    ]
