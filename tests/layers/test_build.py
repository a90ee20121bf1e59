"""The kind of a layer: by the keys of its spec, or by the type of a thing."""

import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import gradcheck.layers
from gradcheck.errors import UsageError
from gradcheck.layers.build import build, wrap
from gradcheck.layers.chain import ChainLayer
from gradcheck.layers.functions import FunctionLayer
from gradcheck.layers.nodes import NodeLayer
from gradcheck.layers.objects import ObjectLayer
from gradcheck.layers.protocol import Layer
from gradcheck.model import Case, InputSpec, LayerSpec

from .samples import cached, nodes, objects, pairs
from .tools import SAMPLES, draw, is_right

X = draw(3, 2)
ROOT = Path(gradcheck.__file__).parents[1]


def with_attribute():
    def forward(x):
        return 2 * x

    forward.backward = lambda g: 2 * g
    return forward


PAIR = (pairs.softmax, pairs.softmax_backward)
CASE = Case("c", LayerSpec(target="pairs.py:pair", base=str(SAMPLES)), {"arr": InputSpec()}, {"axis": 1})


@pytest.mark.parametrize(
    ("thing", "kind"),
    [
        (PAIR, FunctionLayer),
        (with_attribute(), FunctionLayer),
        (cached, FunctionLayer),
        (objects.Tanh, ObjectLayer),
        (objects.Tanh(), ObjectLayer),
        (nodes.Softmax, NodeLayer),
        ([PAIR, objects.Tanh], ChainLayer),
        (CASE, FunctionLayer),
        (LayerSpec(object="objects.py:Tanh", base=str(SAMPLES)), ObjectLayer),
        ([LayerSpec(object="objects.py:Tanh", base=str(SAMPLES)), CASE], ChainLayer),
        (f"{pairs.__name__}:pair", FunctionLayer),
        (f"{objects.__name__}:Tanh", ObjectLayer),
        (f"{nodes.__name__}:Softmax", NodeLayer),
        (f"{SAMPLES}/cached.py:layer", ObjectLayer),
        ([f"{objects.__name__}:Tanh"], ChainLayer),
    ],
    ids=range(15),
)
def test_kinds_by_type(thing, kind):
    layer = wrap(thing)

    assert type(layer) is kind
    assert isinstance(layer, Layer)
    assert isinstance(layer.fresh(), kind)
    name = layer.inputs[0]
    options = {"axis": 1} if "axis" in layer.options else {}
    assert is_right(layer, {name: X}, options)
    assert is_right(layer.fresh(), {name: X}, options)


def test_a_layer_is_returned_as_it_is():
    layer = wrap(objects.Tanh)

    assert wrap(layer) is layer


def test_a_pair_by_reference_is_had_anew():
    layer = build(LayerSpec(target="pairs.py:pair", base=str(SAMPLES)))

    assert layer.fresh().functions[0] is not layer.functions[0]


def test_target_with_a_backward():
    spec = LayerSpec(target="pairs.py:softmax", backward="pairs.py:softmax_backward", base=str(SAMPLES))

    assert is_right(build(spec), {"arr": X}, {"axis": 0})
    assert type(wrap(objects.Sigmoid, "delta", returns="derivative")) is ObjectLayer


def test_inputs_and_options_of_a_case_come_with_it():
    layer = wrap(CASE)

    assert (layer.inputs, layer.options) == (("arr",), ("axis",))


def test_a_module_without_a_backward():
    module = types.ModuleType("empty")

    with pytest.raises(UsageError, match=r"^empty has no 'forward'$"):
        wrap(module)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (LayerSpec(), "a layer is given by one of target, forward, object, node, chain; here by none"),
        (
            LayerSpec(target="a:b", node="c:d"),
            "a layer is given by one of target, forward, object, node, chain; here by target and node",
        ),
        (
            LayerSpec(forward="a:b", chain=[]),
            "a layer is given by one of target, forward, object, node, chain; here by forward and chain",
        ),
        (LayerSpec(forward="mine.py:f"), "`mine.py:f` is a function without a backward"),
    ],
)
def test_specs_that_say_nothing_or_too_much(spec, message):
    with pytest.raises(UsageError) as caught:
        build(spec)

    assert caught.value.message == message


@pytest.mark.parametrize(
    ("thing", "name"), [(3, "int"), (None, "NoneType"), (X, "ndarray"), ((1, 2), "tuple"), ({}, "dict")]
)
def test_things_that_are_no_layer(thing, name):
    with pytest.raises(UsageError) as caught:
        wrap(thing)

    assert caught.value.message == f"{name} is no layer"


def test_functions_without_a_backward_of_every_kind():
    for thing, name in (
        (pairs.softmax, "softmax"),
        (np.exp, "exp"),
        (max, "max"),
        (objects.Tanh().forward, "Tanh.forward"),
    ):
        with pytest.raises(UsageError, match=f"^`{name}` is a function without a backward"):
            wrap(thing)


def test_public_names():
    assert gradcheck.layers.wrap is wrap
    assert {name: getattr(gradcheck.layers, name) for name in gradcheck.layers.__all__}
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        gradcheck.layers.nonsense


def test_importing_the_package_imports_no_numpy():
    code = "import sys, gradcheck.layers; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_a_pair_by_reference_needs_no_entry_points():
    code = (
        "import sys, numpy; sys.modules.pop('importlib.metadata', None)\n"
        "from gradcheck.layers.build import build\nfrom gradcheck.model import LayerSpec\n"
        f"name = {str(SAMPLES)!r} + '/pairs.py:softmax'\n"
        "build(LayerSpec(forward=name, backward=name + '_backward'))\n"
        "sys.exit('importlib.metadata' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_importing_everything_imports_no_framework():
    code = (
        "import sys, gradcheck.layers.build; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'jax', 'autograd', 'scipy', 'yaml', 'pydantic')))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def scaled(x):
    return 2 * x


def scaled_backward(g):
    return 2 * g


def test_the_backward_beside_a_function_is_named():
    with pytest.raises(UsageError, match=r"help: is it `scaled_backward`\? give its backward too"):
        wrap(scaled)
