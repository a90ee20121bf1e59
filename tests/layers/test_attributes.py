"""Methods that return nothing, and leave what they computed on their object."""

import pytest

from gradcheck.errors import LayerError
from gradcheck.layers.build import build, wrap
from gradcheck.model import LayerSpec

from .samples import objects
from .tools import SAMPLES, draw, is_right, pull

X = draw(4, 3)


def spec(name, **more):
    return LayerSpec(object=f"objects.py:{name}", base=str(SAMPLES), **more)


def test_methods_that_return_nothing():
    layer = wrap(objects.Leaving)

    assert layer.inputs == ("inputs", "weights", "biases")
    assert layer.options == ("training",)
    assert is_right(layer, {"inputs": X})
    assert is_right(layer, {"inputs": X}, wrt=["inputs"])
    assert is_right(layer.fresh(), {"inputs": X})


def test_a_loss_that_leaves_its_gradient():
    bind = {"dvalues": "input:y_pred"}
    layer = build(spec("LeavingLoss", returns="gradient", bind=bind), ["y_pred", "y_true"])

    assert is_right(layer, {"y_pred": X, "y_true": X + 1}, wrt=["y_pred"])


def test_the_gradient_of_an_argument_where_its_author_says():
    layer = build(spec("LeavingElsewhere", parameters={"x": 'back["upwards"]'}))

    assert (layer.inputs, dict(layer.defaults)) == (("x",), {})
    assert is_right(layer, {"x": X})


def test_nothing_returned_and_nothing_left():
    class Empty:
        def forward(self, x):
            self.x = x

        def backward(self, g):
            self.count = 1

    with pytest.raises(LayerError, match=r"^forward returned None, which is no array of numbers$"):
        pull(wrap(Empty), {"x": X})

    class Half(Empty):
        def forward(self, x):
            return x

    _, _, found = pull(wrap(Half), {"x": X})
    assert [item.message for item in found.mismatches] == ["the backward returned None as the gradient of x"]
