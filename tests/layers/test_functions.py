"""Pairs of functions, called as they stand."""

import functools

import numpy as np
import pytest

from gradcheck.errors import BindingError, LayerError, NameLookupError, UsageError
from gradcheck.layers.build import build, wrap
from gradcheck.layers.protocol import Layer
from gradcheck.model import LayerSpec

from .samples import pairs
from .tools import SAMPLES, draw, is_right, pull

X = draw(4, 3)


def spec(file, forward="forward", backward="backward", **more):
    return LayerSpec(forward=f"{file}:{forward}", backward=f"{file}:{backward}", base=str(SAMPLES), **more)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_pair_by_reference(axis):
    layer = build(spec("pairs.py", "softmax", "softmax_backward"), ["arr"], {"axis": axis})

    assert isinstance(layer, Layer)
    assert (layer.name, layer.inputs, layer.options) == ("softmax", ("arr",), ("axis",))
    assert is_right(layer, {"arr": X}, {"axis": axis})


def test_negative_control():
    layer = wrap(pairs.softmax, pairs.wrong_backward, inputs=["arr"])

    assert not is_right(layer, {"arr": X}, {"axis": 1})


def test_source_is_the_line_of_the_backward():
    layer = build(spec("pairs.py", "softmax", "softmax_backward"))

    assert layer.source is not None
    assert layer.source.file.endswith("samples/pairs.py")
    assert layer.source.line == 11


def test_label_is_the_name():
    assert build(spec("pairs.py", "softmax", "softmax_backward", label="mine")).name == "mine"


def test_an_option_that_is_needed_and_not_given():
    layer = wrap(pairs.softmax, pairs.softmax_backward)

    with pytest.raises(BindingError) as caught:
        layer.forward({"arr": X}, {})

    assert str(caught.value) == (
        "`softmax` needs the option 'axis', which is not given\n  = help: options: {axis: ...}"
    )


def test_axis_is_handed_over_as_dim():
    seen = []

    def forward(x, *, dim=None):
        seen.append(dim)
        return x

    def backward(g, dim):
        seen.append(dim)
        return g

    layer = wrap(forward, backward)
    pull(layer, {"x": X}, {"axis": 1})
    pull(layer, {"x": X}, {})

    assert seen == [1, 1, None, None]


def test_options_of_every_kind_reach_both():
    seen = []

    def forward(x, a=None, *, b="s", c=(), d=True):
        return x

    def backward(g, x, d, c, b, a):
        seen.append((a, b, c, d))
        return g

    options = {"a": None, "b": "mean", "c": [1, [2.5]], "d": False}
    pull(wrap(forward, backward), {"x": X}, options)
    pull(wrap(forward, backward), {"x": X}, {})

    assert seen == [(None, "mean", [1, [2.5]], False), (None, "s", (), True)]


def test_corpus_convention():
    def forward(*inputs, **options):
        a, b = inputs
        return options["scale"] * a * b

    def backward(g, *inputs, **options):
        a, b = inputs
        return options["scale"] * g * b, options["scale"] * g * a

    layer = wrap(forward, backward, inputs=["a", "b"], options={"scale": 2.0})

    assert layer.options == ("scale",)
    assert is_right(layer, {"a": X, "b": X + 1}, {"scale": 2.0})


def test_labels_are_not_differentiated():
    def forward(z, y):
        return np.take_along_axis(z, y[:, None], 1).sum()

    def backward(g, z, y):
        d = np.zeros_like(z)
        np.put_along_axis(d, y[:, None], g, 1)
        return (d,)

    assert is_right(wrap(forward, backward), {"z": X, "y": np.array([0, 1, 2, 1])}, wrt=["z"])


@pytest.mark.parametrize("kind", [tuple, list, dict])
def test_several_outputs(kind):
    seen = []

    def forward(x):
        parts = (x.sum(0), (x**2).sum(1))
        return {"total": parts[0], "squares": parts[1]} if kind is dict else kind(parts)

    def backward(g, x):
        seen.append(type(g))
        first, second = g.values() if kind is dict else g
        return first + 2 * x * second[:, None]

    assert is_right(wrap(forward, backward), {"x": X})
    assert seen == [dict if kind is dict else tuple]


def test_upstreams_and_outputs_one_by_one():
    def forward(x):
        return np.exp(x), x.sum()

    def backward(g1, g2, y1):
        return g1 * y1 + g2

    assert is_right(wrap(forward, backward), {"x": X})


def test_more_upstreams_than_outputs():
    layer = wrap(lambda x: 2 * x, lambda g1, g2: g1 + g2)

    with pytest.raises(BindingError) as caught:
        pull(layer, {"x": X})

    assert str(caught.value) == (
        "an argument is bound to upstream:1, but the forward has 1 output; counting begins at 0"
    )


def test_cache_is_returned_beside_the_output():
    def affine_forward(x, w, b):
        return x @ w + b, (x, w)

    def affine_backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout, dout.sum(0)

    assert is_right(wrap(affine_forward, affine_backward), {"x": X, "w": draw(3, 2), "b": draw(2)})


def test_cache_that_is_not_returned():
    layer = wrap(lambda x: x, lambda dout, cache: dout)

    with pytest.raises(LayerError) as caught:
        layer.forward({"x": X}, {})

    assert str(caught.value) == (
        "the backward takes a cache, so the forward must return (output, cache); it returned an array of shape (4, 3)"
    )


def test_context_in_the_style_of_torch():
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.factor = 3.0
        return ctx.factor * x**2

    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        assert ctx.saved_values == ctx.saved_tensors
        return 2 * ctx.factor * x * grad_output

    layer = wrap(forward, backward)
    assert layer.inputs == ("x",)
    assert is_right(layer, {"x": X})


def test_backward_before_any_forward():
    layer = wrap(lambda x: (x, x), lambda dout, cache: dout)

    with pytest.raises(
        LayerError, match=r"^the backward needs what the forward leaves behind: call the forward first$"
    ):
        layer.vjp([X], {"x": X}, [X], {}, ["x"])


@pytest.mark.parametrize("x", [np.array(2.0), np.zeros((0, 3)), np.array([1, 2, 3]), np.float32([[1, 2]])])
def test_scalars_empty_integer_and_single_precision(x):
    layer = wrap(lambda x: x * 2, lambda g: g * 2)

    outputs, upstream, found = pull(layer, {"x": x})

    assert outputs[0].shape == x.shape
    assert np.array_equal(found.by_input["x"], 2 * upstream[0])


def test_nothing_is_copied():
    seen = []
    layer = wrap(lambda x: seen.append(x) or x, lambda g, x, y: seen.extend([g, x, y]) or g)

    outputs = layer.forward({"x": X}, {})
    g = np.ones_like(X)
    found = layer.vjp([g], {"x": X}, outputs, {}, ["x"])

    assert all(item is X for item in (seen[0], seen[2], seen[3], outputs[0]))
    assert seen[1] is g
    assert found.by_input["x"] is g


def test_functions_of_other_kinds():
    double = functools.partial(np.multiply, 2.0)
    vectorised = np.vectorize(lambda x: x * x, otypes=[float])

    @functools.wraps(pairs.softmax)
    def wrapped(*args, **kwargs):
        return pairs.softmax(*args, **kwargs)

    assert is_right(wrap(double, lambda g: 2 * g, inputs=["x"]), {"x": X})
    assert is_right(wrap(vectorised, lambda g, x: 2 * g * x, inputs=["x"]), {"x": X})
    assert is_right(wrap(np.sin, np.cos, inputs=["x"], returns="derivative"), {"x": X})
    assert is_right(wrap(wrapped, pairs.softmax_backward), {"arr": X}, {"axis": 0})


def test_positional_only_and_keyword_only():
    def forward(x, scale=2.0, /, *rest, shift):
        return x * scale + shift

    def backward(g, /, *, x, scale=2.0):
        return g * scale

    assert is_right(wrap(forward, backward, inputs=["x", "shift"]), {"x": X, "shift": X}, {"scale": 3.0}, wrt=["x"])


def test_a_word_that_cannot_be_called():
    with pytest.raises(UsageError) as caught:
        wrap(pairs.softmax, 3)

    assert str(caught.value) == "the backward is 'int', which cannot be called"


def test_a_function_without_a_backward():
    for make in (lambda: wrap(pairs.softmax), lambda: build(LayerSpec(target="pairs.py:softmax", base=str(SAMPLES)))):
        with pytest.raises(UsageError) as caught:
            make()

        assert str(caught.value) == (
            "`softmax` is a function without a backward\n  = help: is it `softmax_backward`? give its backward too: "
            "`backward: ...`, --backward REFERENCE   (in Python: backward=... or (softmax, ...)); "
            "one that returns a value and its gradient says `returns: gradient`"
        )


def test_a_missing_function():
    with pytest.raises(NameLookupError) as caught:
        build(spec("pairs.py", "sofmax", "softmax_backward"))

    assert str(caught.value) == (
        "pairs.py has no 'sofmax' (did you mean 'softmax'?)\n"
        "  = help: it has Layers, pair, softmax, softmax_backward, wrong_backward"
    )
