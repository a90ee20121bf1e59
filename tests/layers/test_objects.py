"""Classes and instances, with state or without, and the parameters that they hold."""

import numpy as np
import pytest

from gradcheck.errors import BindingError, LayerError, NameLookupError
from gradcheck.layers.build import build, wrap
from gradcheck.layers.parameters import words_of
from gradcheck.model import LayerSpec

from .samples import objects
from .tools import SAMPLES, draw, is_right, pull

X = draw(4, 3)
W = draw(3, 2, seed=2)
B = draw(2, seed=3)


def spec(name, **more):
    return LayerSpec(object=f"objects.py:{name}", base=str(SAMPLES), **more)


@pytest.mark.parametrize("thing", [objects.Tanh, objects.Tanh(), "reference"])
def test_cached_state(thing):
    layer = build(spec("Tanh")) if thing == "reference" else wrap(thing)

    assert (layer.name, layer.inputs, dict(layer.defaults)) == ("Tanh", ("x",), {})
    assert layer.source.file.endswith("samples/objects.py")
    assert is_right(layer, {"x": X})


def test_inputs_in_a_list_and_gradients_in_a_list():
    layer = build(spec("SoftmaxLoss"), ["prediction", "truth"])

    assert is_right(layer, {"prediction": X, "truth": np.eye(3)[[0, 1, 2, 0]]}, wrt=["prediction"])


def test_static_methods_need_no_instance():
    layer = wrap(objects.SoftmaxLoss, inputs=["prediction", "truth"])

    assert layer.instance is None
    assert layer.fresh().instance is None


def test_other_names_and_a_derivative():
    layer = build(spec("Sigmoid", returns="derivative"))
    said = build(spec("Sigmoid", forward="compute", backward="delta", returns="derivative"))

    assert layer.inputs == ("incoming",)
    assert is_right(layer, {"incoming": X})
    assert is_right(said, {"incoming": X})


def test_made_from_its_parameters():
    layer = build(spec("Affine"), ["x", "W", "b"])

    assert layer.inputs == ("x", "W", "b")
    assert is_right(layer, {"x": X, "W": W, "b": B})
    assert is_right(layer.fresh(), {"x": X, "W": W, "b": B})


def test_parameters_of_an_instance():
    layer = wrap(objects.Affine(W, B))

    assert layer.inputs == ("x", "W", "b")
    assert np.array_equal(layer.defaults["W"], W)
    assert is_right(layer, {"x": X})


def test_a_parameter_that_is_given_replaces_its_own():
    layer = wrap(objects.Affine(W, B))

    outputs = layer.forward({"x": X, "W": 2 * W}, {})
    again = layer.forward({"x": X}, {})

    assert np.array_equal(outputs[0], X @ (2 * W) + B)
    assert np.array_equal(again[0], X @ W + B)


@pytest.mark.parametrize("name", ["Stored", "Modular"])
def test_parameters_in_dicts_and_in_objects(name):
    layer = build(spec(name, init={"n": 3, "m": 2}))

    assert layer.inputs == ("x", "W", "b")
    assert is_right(layer, {"x": X})
    assert is_right(layer, {"x": X, "W": W, "b": B})
    assert is_right(layer.fresh(), {"x": X})


@pytest.mark.parametrize("name", ["Stored", "Modular"])
def test_a_fresh_layer_has_the_same_weights(name):
    layer = build(spec(name, init={"n": 3, "m": 2}))
    before = layer.forward({"x": X}, {})[0]

    layer.forward({"x": X, "W": 2 * W}, {})

    assert np.array_equal(layer.fresh().forward({"x": X}, {})[0], before)
    assert layer.fresh().instance is not layer.instance


def test_gradients_that_accumulate_begin_at_zero():
    layer = wrap(objects.Accumulating)

    assert layer.inputs == ("x", "gamma")
    assert is_right(layer, {"x": X})
    assert is_right(layer, {"x": X})


@pytest.mark.parametrize("kind", [objects.Returned, objects.Tupled])
def test_parameters_whose_gradients_are_returned(kind):
    layer = build(spec(kind.__name__, parameters={}), ["x", "scale"])

    assert is_right(layer, {"x": X, "scale": np.array([3.0])})
    assert is_right(layer, {"x": X, "scale": np.array([3.0])}, wrt=["x"])


def test_said_places():
    layer = build(spec("Stored", init={"n": 3, "m": 2}, parameters={"W": 'grads["W"]', "b": "self.grads['b']"}))

    assert is_right(layer, {"x": X})


def test_slots():
    assert is_right(wrap(objects.Slotted), {"x": X})


def test_options_of_the_constructor():
    layer = build(spec("AlongAxis"), ["x"], {"axis": 0})

    assert layer.options == ("axis",)
    assert is_right(layer, {"x": X}, {"axis": 0})
    assert is_right(layer, {"x": X}, {"axis": 1})
    assert is_right(build(spec("AlongAxis", init={"axis": 1, "keepdims": True})), {"x": X})


def test_a_constructor_that_needs_more():
    with pytest.raises(BindingError) as caught:
        build(spec("Stored"))

    assert str(caught.value) == (
        "`Stored` cannot be made without n, m\n"
        "  = help: init: {n: ..., m: ...}   (in Python: give an instance, Stored(n=..., m=...))"
    )


def test_a_constructor_that_does_not_know_an_argument():
    with pytest.raises(BindingError) as caught:
        build(spec("Stored", init={"n": 3, "m": 2, "bais": True}))

    assert str(caught.value) == (
        "init names the argument 'bais', which `Stored` has not\n  = help: the arguments are n, m"
    )


def test_a_constructor_that_raises():
    with pytest.raises(LayerError) as caught:
        build(spec("Fragile"))

    assert str(caught.value).startswith("Fragile(...) raised ValueError: cannot be made (objects.py:")
    assert "Traceback" in caught.value.trace


def test_a_method_that_is_not_there():
    for name, role, usual in (("Tanh", "forward", "foward"), ("Tanh", "backward", "backwards")):
        with pytest.raises(NameLookupError) as caught:
            build(spec(name, **{role: usual}))

        assert str(caught.value) == (
            f"`{name}` has no method {usual!r} (did you mean {role!r}?)\n  = help: it has backward, forward"
        )


def test_no_usual_method():
    with pytest.raises(NameLookupError) as caught:
        build(spec("Parameter"))

    assert str(caught.value) == ("`Parameter` has no method 'forward'\n  = help: say `forward: NAME`; it has none")


def test_a_parameter_that_is_not_there():
    with pytest.raises(BindingError) as caught:
        build(spec("Affine", init={"W": [[1.0]], "b": [0.0]}, parameters={"V": "dV"}))

    assert caught.value.message == "`Affine` holds no array 'V'"


def test_a_place_that_is_none():
    for place in ("dW +", "grads[", "[0]", "", "f()"):
        with pytest.raises(BindingError) as caught:
            build(spec("Affine", init={"W": [[1.0]], "b": [0.0]}, parameters={"W": place}))

        assert str(caught.value) == (
            f'{place!r} is no place on an object\n  = help: write for instance dW, grads["W"], W.grad'
        )


def test_an_input_that_is_no_parameter():
    with pytest.raises(BindingError) as caught:
        wrap(objects.Tanh, inputs=["x", "w"])

    assert caught.value.message == "neither `Tanh.forward` nor `Tanh.backward` takes the input 'w'"


def test_gradients_that_were_not_left():
    layer = wrap(objects.Forgetful, inputs=["x", "W", "b"])

    _, _, found = pull(layer, {"x": X, "W": W, "b": B})

    assert list(found.by_input) == ["x"]
    assert [(item.rule, item.wrt, item.message) for item in found.mismatches] == [
        ("missing-input-gradient", "W", "the backward left no gradient of the parameter W"),
        ("not-an-array", "b", "the backward left a str as the gradient of the parameter b"),
    ]


def test_a_wrong_parameter_gradient_is_seen():
    class Wrong(objects.Affine):
        def backward(self, dout):
            dx = super().backward(dout)
            self.db = dout.mean(0)
            return dx

    layer = wrap(Wrong(W, B))

    assert not is_right(layer, {"x": X})
    assert is_right(layer, {"x": X}, wrt=["x", "W"])


def test_bound_methods_share_their_object():
    tanh = objects.Tanh()
    layer = wrap(tanh.forward, tanh.backward)

    again = layer.fresh()

    assert is_right(layer, {"x": X})
    assert is_right(again, {"x": X})
    assert again.functions[0].__self__ is again.functions[1].__self__ is not tanh


def test_a_gradient_that_is_nowhere():
    class Silent(objects.Affine):
        def backward(self, dout):
            return dout @ self.W.T

    _, _, found = pull(wrap(Silent, inputs=["x", "W", "b"]), {"x": X, "W": W, "b": B})

    assert [item.message for item in found.mismatches] == [
        f"the backward left no gradient of the parameter {name} where one was looked for "
        "(parameters: {NAME: PLACE} says where)"
        for name in ("W", "b")
    ]


def test_the_author_s_object_keeps_its_own_parameters():
    mine = objects.Affine(W, B)
    layer = wrap(mine)

    pull(layer, {"x": X, "W": 2 * W})

    assert mine.W is W
    assert mine.b is B


def test_a_parameter_in_two_places_is_set_in_both():
    class Twice(objects.Affine):
        def __init__(self):
            super().__init__(W, B)
            self.params = [self.W, self.b]

        def forward(self, x):
            assert self.params[0] is self.W
            return super().forward(x)

    assert is_right(wrap(Twice), {"x": X})


def test_a_parameter_that_cannot_be_set():
    class Frozen(objects.Affine):
        def __setattr__(self, name, value):
            if hasattr(self, name):
                raise AttributeError(name)
            super().__setattr__(name, value)

    with pytest.raises(LayerError, match=r"^the parameter W of `Frozen` cannot be set$"):
        wrap(Frozen(W, B)).forward({"x": X, "W": 2 * W}, {})


def test_keys_of_a_dict_are_among_the_words_of_a_class():
    class Dense:
        def backward(self, g):
            return {"W": g.T @ g, "b": g.sum(0)}, self.cache

    assert {"w", "b", "cache"} <= {word.lower() for word in words_of(Dense)}
    assert "bias" not in words_of(Dense)
