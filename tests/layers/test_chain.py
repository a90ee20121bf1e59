"""Layers one after the other."""

import numpy as np
import pytest

from gradcheck.errors import BindingError, LayerError, UsageError
from gradcheck.layers.build import build, wrap
from gradcheck.layers.chain import ChainLayer
from gradcheck.model import LayerSpec

from .samples import nodes, objects, pairs
from .tools import SAMPLES, draw, is_right, pull

X = draw(4, 3)
T = np.eye(3)[[0, 1, 2, 1]]


def error(prediction, target):
    return ((prediction - target) ** 2).sum() / 2


def error_backward(g, prediction, target):
    return g * (prediction - target), g * (target - prediction)


def double(x):
    return 2 * x


def double_backward(g):
    return 2 * g


def scale(x, w):
    return x * w


def scale_backward(g, x, w):
    return g * w, (g * x).sum(0)


DOUBLE, SCALE, ERROR = (double, double_backward), (scale, scale_backward), (error, error_backward)


def nodes_spec(name, **more):
    return LayerSpec(node=f"nodes.py:{name}", gradient="g", base=str(SAMPLES), **more)


def test_nodes_in_sequence():
    layer = build(LayerSpec(chain=[nodes_spec("Softmax"), nodes_spec("CrossEntropy")]), ["x", "t"])

    assert isinstance(layer, ChainLayer)
    assert (layer.name, layer.inputs) == ("Softmax -> CrossEntropy", ("x", "t"))
    assert is_right(layer, {"x": X, "t": T}, wrt=["x"])
    assert is_right(layer, {"x": X, "t": T})
    assert is_right(layer.fresh(), {"x": X, "t": T})


def test_a_wrong_link_makes_the_chain_wrong():
    layer = build(LayerSpec(chain=[nodes_spec("WrongSoftmax"), nodes_spec("CrossEntropy")]), ["x", "t"])

    assert not is_right(layer, {"x": X[:3], "t": T[:3]}, wrt=["x"])


def test_a_list_in_python():
    layer = wrap([objects.Tanh, DOUBLE, ERROR], inputs=["x", "target"])

    assert is_right(layer, {"x": X, "target": T})


def test_derivative_and_gradient_in_the_style_of_one_page():
    chain = [
        LayerSpec(object="objects.py:Sigmoid", returns="derivative", label="activation", base=str(SAMPLES)),
        LayerSpec(target="objects.py:Tanh", label="cost", base=str(SAMPLES)),
    ]
    layer = build(LayerSpec(chain=chain, label="both"), ["incoming"])

    assert layer.name == "both"
    assert is_right(layer, {"incoming": X})


def test_one_reference_is_relative_to_the_base_of_the_chain():
    chain = [LayerSpec(object="objects.py:Tanh"), LayerSpec(object="objects.py:Tanh")]

    assert is_right(build(LayerSpec(chain=chain, base=str(SAMPLES)), ["x"]), {"x": X})


def test_options_go_to_the_links_that_know_them():
    layer = wrap([(pairs.softmax, pairs.softmax_backward), ERROR], inputs=["arr", "target"], options={"axis": 0})

    assert layer.options == ("axis",)
    assert is_right(layer, {"arr": X, "target": T}, {"axis": 0}, wrt=["arr"])


def test_an_input_that_several_links_take_has_the_sum():
    layer = wrap([SCALE, SCALE], inputs=["x", "w"])

    assert is_right(layer, {"x": X, "w": draw(3)})


def test_a_first_input_of_another_name():
    layer = wrap([DOUBLE, ERROR], inputs=["a", "target"])

    assert layer.inputs == ("a", "target")
    assert is_right(layer, {"a": X, "target": T})


def test_without_names_the_inputs_are_those_of_the_links():
    assert wrap([DOUBLE, SCALE, ERROR]).inputs == ("x", "w", "target")


def test_named_inputs_of_a_link():
    chain = [
        LayerSpec(forward="pairs.py:Layers.Inner.double", backward="pairs.py:Layers.Inner.double_backward"),
        LayerSpec(target="chained.py:weigh", inputs=["labels"]),
    ]
    layer = build(LayerSpec(chain=chain, base=str(SAMPLES)), ["x", "labels"])

    assert is_right(layer, {"x": X, "labels": T}, wrt=["x", "labels"])


def test_the_output_goes_to_the_first_input_if_all_are_claimed():
    layer = wrap([DOUBLE, SCALE], inputs=["x", "w"])

    links = layer.links({"x": X, "w": draw(3)}, {})

    assert links[1].flow == ("x",)
    assert np.array_equal(links[1].inputs["x"], 2 * X)


def test_several_outputs_flow_on():
    def halves(x):
        return x[:2], x[2:]

    layer = wrap(
        [(halves, lambda g, x: np.concatenate(g)), (lambda a, b: a * b, lambda g, a, b: (g * b, g * a))], inputs=["x"]
    )

    assert is_right(layer, {"x": X})


def test_links_at_their_own_inputs():
    layer = wrap([objects.Tanh, DOUBLE, ERROR], inputs=["x", "target"])

    links = layer.links({"x": X, "target": T}, {})

    assert [link.label for link in links] == ["Tanh", "double", "error"]
    assert [link.flow for link in links] == [(), ("x",), ("prediction",)]
    assert [dict(link.names) for link in links] == [{"x": "x"}, {}, {"target": "target"}]
    assert np.array_equal(links[1].inputs["x"], np.tanh(X))
    assert np.array_equal(links[2].inputs["prediction"], 2 * np.tanh(X))
    for link in links:
        assert is_right(link.layer, link.inputs, link.options)


def test_labels_are_unique():
    layer = wrap([DOUBLE, DOUBLE, DOUBLE])

    assert [link.label for link in layer.links({"x": X}, {})] == ["double", "double#2", "double#3"]


def test_parameters_of_links_have_their_labels_before_them():
    layer = wrap([objects.Affine(draw(3, 3), draw(3)), objects.Affine(draw(3, 2), draw(2))])

    assert layer.inputs == ("x", "Affine.W", "Affine.b", "Affine#2.W", "Affine#2.b")
    assert set(layer.defaults) == {"Affine.W", "Affine.b", "Affine#2.W", "Affine#2.b"}
    assert is_right(layer, {"x": X})


def test_backward_without_a_forward_before_it():
    layer = wrap([DOUBLE, ERROR])
    found = layer.vjp([np.array(1.0)], {"x": X, "target": T}, (), {}, ["x"])

    assert np.allclose(found.by_input["x"], 2 * (2 * X - T))


def test_an_error_says_in_which_link():
    def fails(g, x):
        raise ValueError("no")

    with pytest.raises(LayerError) as caught:
        pull(wrap([DOUBLE, (double, fails), DOUBLE]), {"x": X})

    assert caught.value.message.startswith("in the link 'double#2': backward raised ValueError: no (test_chain.py:")
    assert "Traceback" in caught.value.trace


def test_a_link_that_hands_nothing_back():
    _, _, found = pull(wrap([DOUBLE, (double, lambda g: None), DOUBLE]), {"x": X})

    assert found.by_input == {}
    assert [(item.rule, item.wrt, item.message) for item in found.mismatches] == [
        (
            "missing-input-gradient",
            None,
            "in the link 'double#2': the backward returned None as the gradient of x",
        ),
        ("missing-input-gradient", "x", "no gradient reached x: the link 'double#2' handed none back"),
    ]


def test_a_link_without_a_free_input():
    with pytest.raises(BindingError) as caught:
        wrap([DOUBLE, (lambda: np.ones(3), lambda g: ())])

    assert str(caught.value) == (
        "the link '<lambda>' of the chain is handed 1 output and has 0 free inputs (none)\n"
        "  = help: name the inputs of the case that it takes besides: `inputs: [NAME]` in the link"
    )


def test_a_link_with_too_many_free_inputs():
    layer = wrap([DOUBLE, ERROR], inputs=["x"])

    with pytest.raises(BindingError) as caught:
        layer.forward({"x": X}, {})

    assert caught.value.message == (
        "the link 'error' of the chain is handed 1 output and has 2 free inputs (prediction, target)"
    )


def test_inputs_and_options_that_no_link_takes():
    with pytest.raises(BindingError) as caught:
        wrap([DOUBLE, ERROR], inputs=["x", "target", "lables"])
    assert str(caught.value) == ("no link of the chain takes the input 'lables'\n  = help: they take x, target")
    with pytest.raises(BindingError, match=r"^no link of the chain takes the option 'temperature'"):
        wrap([DOUBLE], inputs=["x"], options={"temperature": 2})
    wrap([DOUBLE], inputs=["x"], options={"axis": 1})


def test_a_first_link_without_its_inputs():
    with pytest.raises(BindingError) as caught:
        wrap([SCALE], inputs=["a", "b"])

    assert str(caught.value) == (
        "the first link 'scale' of the chain takes x, w, which the case does not have\n"
        "  = help: the inputs of the case are a, b"
    )


def test_an_empty_chain():
    for make in (lambda: wrap([]), lambda: build(LayerSpec(chain=[]))):
        with pytest.raises(UsageError, match=r"^a chain needs at least one layer$"):
            make()


def test_links_of_one_file_share_its_state():
    chain = [LayerSpec(target="chained.py:first"), LayerSpec(target="chained.py:second")]
    layer = build(LayerSpec(chain=chain, base=str(SAMPLES)), ["x"])

    assert is_right(layer, {"x": X})
    assert is_right(layer.fresh(), {"x": X})


def test_nodes_have_leaves_of_their_own():
    assert is_right(wrap([nodes.Softmax, nodes.Softmax]), {"x": X})
