"""Graph nodes in the style of micrograd."""

import numpy as np
import pytest

from gradcheck.errors import BindingError, LayerError, NameLookupError, UsageError
from gradcheck.layers.build import build, wrap
from gradcheck.layers.nodes import is_node
from gradcheck.model import LayerSpec

from .samples import nodes, objects
from .tools import SAMPLES, draw, is_right, pull

X = draw(4, 3)
P = np.exp(X)
T = np.eye(3)[[0, 1, 2, 1]]


def spec(name, **more):
    return LayerSpec(node=f"nodes.py:{name}", base=str(SAMPLES), **more)


def test_a_node_of_one_parent():
    layer = build(spec("Softmax", gradient="g"))

    assert (layer.name, layer.inputs, layer.options) == ("Softmax", ("x",), ())
    assert layer.source.file.endswith("samples/nodes.py")
    assert is_right(layer, {"x": X})
    assert is_right(layer.fresh(), {"x": X})


def test_a_node_of_two_parents():
    assert is_right(build(spec("CrossEntropy", gradient="g")), {"p": P, "t": T})


def test_negative_control():
    layer = build(spec("WrongSoftmax", gradient="g"))

    assert not is_right(layer, {"x": X[:3]})


def test_what_the_backward_raises_names_the_shapes():
    layer = build(spec("WrongSoftmax", gradient="g"))

    with pytest.raises(LayerError) as caught:
        pull(layer, {"x": X})

    assert str(caught.value) == (
        "backward raised ValueError: operands could not be broadcast together with shapes (4,4) (4,3) (nodes.py:29)"
    )


def test_attributes_are_found_where_the_code_knows_only_the_usual_others():
    assert is_right(wrap(nodes.Softmax), {"x": X})
    assert is_right(wrap(nodes.Double), {"parent": X})


def test_backward_twice_builds_the_graph_again():
    layer = wrap(nodes.Softmax)
    outputs = layer.forward({"x": X}, {})
    g = draw(4, 3, seed=3)

    one = layer.vjp([g], {"x": X}, outputs, {}, ["x"]).by_input["x"].copy()
    two = layer.vjp([g], {"x": X}, outputs, {}, ["x"]).by_input["x"]

    assert np.array_equal(one, two)


def test_parents_are_of_the_author_s_own_class_where_that_can_be_made():
    layer = wrap(nodes.Softmax)
    layer.forward({"x": X}, {})
    node, leaves = layer._graph

    assert type(leaves["x"]) is nodes.Node
    assert node.parents == (leaves["x"],)


def test_options_and_plain_arrays():
    layer = build(spec("Scaled", gradient="g", bind={"weights": "value:weights"}), ["x", "weights"], {"factor": 3.0})

    assert layer.options == ("factor",)
    assert is_right(layer, {"x": X, "weights": P}, {"factor": 3.0}, wrt=["x"])
    assert is_right(
        build(spec("Scaled", init={"factor": 2.0}, bind={"weights": "value:weights"})),
        {"x": X, "weights": P},
        wrt=["x"],
    )


def test_methods_that_make_nodes():
    tanh = build(spec("Value", forward="tanh"), ["x"])
    times = build(spec("Value", forward="times"), ["a", "b"])

    assert is_right(tanh, {"x": X})
    assert is_right(times, {"a": X, "b": P})


def test_a_stand_in_for_parents():
    layer = wrap(nodes.Double)
    layer.forward({"parent": X}, {})

    assert type(layer._graph[1]["parent"]).__name__ == "Leaf"


def test_integers_and_scalars():
    assert is_right(wrap(nodes.Double), {"parent": np.array(2.0)})
    _, upstream, found = pull(wrap(nodes.Double), {"parent": np.array([1, 2])})
    assert np.array_equal(found.by_input["parent"], 2 * upstream[0])


def test_a_parent_that_nothing_is_added_to():
    _, _, found = pull(wrap(nodes.Lazy), {"a": X, "b": X})

    assert list(found.by_input) == ["a"]
    assert [(item.rule, item.wrt, item.message) for item in found.mismatches] == [
        ("missing-input-gradient", "b", "the backward added nothing to the gradient of the parent b")
    ]


def test_gradients_that_are_returned():
    assert is_right(build(spec("Returning", gradient="g")), {"a": X, "b": P})


def test_an_argument_that_is_no_parent():
    with pytest.raises(BindingError) as caught:
        pull(wrap(nodes.Odd), {"x": X})

    assert str(caught.value) == (
        "the argument mystery of `Odd._back` stands for no parent of the node\n"
        "  = help: call it x, or a usual word for the upstream, or take all parents in order"
    )


def test_attributes_that_are_not_there():
    with pytest.raises(BindingError) as caught:
        pull(build(spec("Unusual")), {"x": X})

    assert str(caught.value) == (
        "a `Unusual` has no attribute 'data' for its value\n  = help: say `value: NAME`; it has payload, slope"
    )
    assert is_right(build(spec("Unusual", value="payload", gradient="slope")), {"x": X})


def test_no_class_and_no_method():
    with pytest.raises(UsageError, match=r"^node is 'Node._back', which is no class$"):
        build(spec("Node._back"))
    with pytest.raises(NameLookupError) as caught:
        pull(build(spec("Softmax", backward="_bakc")), {"x": X})
    assert str(caught.value) == (
        "`Softmax` has no method '_bakc'\n  = help: say `backward: NAME`: the method that adds to the parents"
    )
    with pytest.raises(NameLookupError, match=r"^`Value` has no method 'tan' \(did you mean 'tanh'\?\)$"):
        build(spec("Value", forward="tan"), ["x"])


def test_an_input_that_the_constructor_does_not_take():
    with pytest.raises(BindingError) as caught:
        build(spec("Softmax"), ["x", "t"])

    assert caught.value.message == "`Softmax` does not take the input 't'"


def test_nodes_are_told_from_objects():
    assert is_node(nodes.Softmax)
    assert not is_node(objects.Tanh)
    assert not is_node(int)
