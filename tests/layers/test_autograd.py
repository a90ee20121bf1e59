"""Primitives of HIPS autograd, and functions that it differentiates."""

import numpy
import pytest

autograd = pytest.importorskip("autograd")

import autograd.numpy as np  # noqa: E402
from autograd.extend import defjvp, defvjp, primitive  # noqa: E402

from gradcheck.api import check  # noqa: E402
from gradcheck.errors import LayerError, UsageError  # noqa: E402
from gradcheck.layers import autograd as adapter  # noqa: E402
from gradcheck.layers.autograd import wrap  # noqa: E402
from tests.layers.samples import pairs  # noqa: E402
from tests.layers.tools import draw, is_right, pull  # noqa: E402

pytestmark = pytest.mark.autograd

X, W = draw(4, 2), draw(2, 3, seed=2)


def adapt(thing, **given):
    return adapter.adapt(thing, **given)


@primitive
def scaled(x, y, slope=2.0):
    return slope * x * y


defvjp(
    scaled, lambda ans, x, y, slope=2.0: lambda g: slope * g * y, lambda ans, x, y, slope=2.0: lambda g: slope * g * x
)


@primitive
def square(x):
    return x**2


defvjp(square, lambda ans, x: lambda g: 2 * g * x)
defjvp(square, lambda t, ans, x: x * t)  # has lost its 2


@primitive
def wide(x, b):
    return x + b


defvjp(wide, lambda ans, x, b: lambda g: g, lambda ans, x, b: lambda g: g)


@primitive
def without_rule(x):
    return x * 1.0


def several(x, w):
    return {"y": np.tanh(np.dot(x, w)), "sum": np.sum(x)}


def nested(params, x):
    return np.tanh(np.dot(x, params["w"][0]))


def noisy(x):
    return x * numpy.random.random(numpy.shape(x))


def forward_of_pair(x):
    return np.tanh(x)


def backward_of_pair(g, x):
    return g * (1 - np.tanh(x) ** 2)


def test_a_primitive():
    layer = adapt(scaled)

    assert (layer.name, layer.inputs) == ("scaled", ("x", "y"))
    assert layer.source.file.endswith("test_autograd.py")
    assert is_right(layer, {"x": X, "y": draw(4, 2, seed=5)})
    assert is_right(adapt(scaled, inputs=["x", "y"], options={"slope": 3.0}), {"x": X, "y": X}, {"slope": 3.0})
    assert is_right(layer.fresh(), {"x": X, "y": X})


def test_primitives_of_the_library():
    assert is_right(adapt(np.exp, inputs=["x"], options={"order": 2}), {"x": X}, {"order": 2})
    assert is_right(adapt(np.sum, inputs=["a"], options={"axis": 1}), {"a": X}, {"axis": 1})


def test_functions_of_primitives():
    assert is_right(adapt(several), {"x": X, "w": W})
    assert is_right(adapt(nested, inputs=["params.w.0", "x"]), {"params.w.0": W, "x": X})


def test_each_mode_has_its_own_rule():
    assert check(wrap(square), inputs={"x": X}).verdict == "pass"
    report = check(wrap(square, autodiff="forward"), inputs={"x": X}, options={"autodiff": "forward"})
    assert (report.verdict, report.findings[0].rule) == ("fail", "factor-two")


def test_second_derivatives():
    options = {"order": 2}

    assert is_right(wrap(several, **options), {"x": X, "w": W}, options)
    assert is_right(wrap(square, inputs=["x", "upstream"], **options), {"x": X, "upstream": X}, options)


def test_a_gradient_of_the_wrong_shape_is_seen_as_it_is():
    _, _, found = pull(wrap(wide), {"x": X, "b": draw(2)})

    assert found.by_input["b"].shape == (4, 2)


def test_a_primitive_without_a_rule():
    with pytest.raises(LayerError, match=r"^forward raised NotImplementedError: VJP of without_rule wrt argnums"):
        pull(wrap(without_rule), {"x": X})


def test_random_numbers_are_the_same_when_it_is_differentiated():
    layer = wrap(noisy, inputs=["x"])

    outputs, g, found = pull(layer, {"x": X})

    assert numpy.allclose(found.by_input["x"], g[0] * outputs[0] / X)


def test_pairs_are_pairs_of_numpy():
    assert adapt(forward_of_pair, backward=backward_of_pair) is None
    assert adapt(pairs.softmax) is None
    assert adapt(numpy.tanh) is None
    assert adapt(square, returns="gradient") is None
    with pytest.raises(UsageError, match=r"^int is no function$"):
        wrap(3)
