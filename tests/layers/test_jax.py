"""Functions of JAX: custom rules in both modes, pytrees, and 64 bits whatever the flag says."""

import functools

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from gradcheck.api import check  # noqa: E402
from gradcheck.errors import LayerError, UsageError  # noqa: E402
from gradcheck.layers import jax as adapter  # noqa: E402
from gradcheck.layers.jax import JaxEngine, wrap  # noqa: E402
from tests.layers.samples import pairs  # noqa: E402
from tests.layers.tools import draw, is_right, pull  # noqa: E402

pytestmark = pytest.mark.jax

X, W, B = draw(4, 2), draw(2, 3, seed=2), draw(3, seed=3)


def adapt(thing, **given):
    return adapter.adapt(thing, **given)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def softmax(x, axis):
    return jax.nn.softmax(x, axis)


def softmax_fwd(x, axis):
    y = softmax(x, axis)
    return y, y


def softmax_bwd(axis, y, g):
    return (y * (g - (y * g).sum(axis, keepdims=True)),)


softmax.defvjp(softmax_fwd, softmax_bwd)


@jax.custom_jvp
def square(x):
    return x**2


@square.defjvp
def square_jvp(primals, tangents):
    return square(primals[0]), 2 * primals[0] * tangents[0]


@jax.custom_jvp
def half_square(x):
    return x**2


@half_square.defjvp
def half_square_jvp(primals, tangents):
    return half_square(primals[0]), primals[0] * tangents[0]


@jax.custom_jvp
def bent(x):
    return jnp.sin(x)


@bent.defjvp
def bent_jvp(primals, tangents):
    return bent(primals[0]), jnp.cos(primals[0]) * jnp.abs(tangents[0])


def with_rule(forward, backward):
    function = jax.custom_vjp(forward)
    function.defvjp(lambda *inputs: (forward(*inputs), inputs), backward)
    return function


@jax.jit
def dense(params, x, slope=1.0):
    return {"y": jnp.tanh(slope * (x @ params["w"] + params["b"])), "place": x.argmax()}


def silu(x):
    return x * jax.nn.sigmoid(x)


def silu_backward(g, x):
    s = jax.nn.sigmoid(x)
    return g * (s + x * s * (1 - s))


def through_numpy(x):
    return jnp.asarray(np.asarray(x) * 2)


def test_a_custom_vjp():
    layer = adapt(softmax, inputs=["x"], options={"axis": 1})

    assert (layer.name, layer.inputs) == ("softmax", ("x",))
    assert layer.source.file.endswith("test_jax.py")
    assert is_right(layer, {"x": X}, {"axis": 1})
    assert is_right(layer.fresh(), {"x": X}, {"axis": 0})


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_custom_jvp_in_both_modes(mode):
    options = {"autodiff": mode}

    assert is_right(adapt(square, options=options), {"x": X}, options)
    report = check(wrap(half_square, **options), inputs={"x": X}, options=options)
    assert (report.verdict, report.findings[0].rule) == ("fail", "factor-two")


def test_a_rule_that_is_not_linear_in_its_tangent():
    _, _, found = pull(wrap(bent, autodiff="forward"), {"x": X}, {"autodiff": "forward"})

    assert [(item.rule, item.message) for item in found.mismatches] == [
        ("nonlinear-in-upstream", "the forward-mode rule is not linear in the tangent of x")
    ]


def test_what_cannot_be_batched_is_pushed_one_by_one():
    def twice(x):
        return jax.pure_callback(lambda a: 2 * np.asarray(a), jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    function = jax.custom_jvp(twice)
    function.defjvp(lambda primals, tangents: (function(*primals), twice(tangents[0])))

    assert is_right(wrap(function, autodiff="forward"), {"x": X}, {"autodiff": "forward"})


def test_pytrees_by_dotted_names():
    layer = adapt(dense, inputs=["params.w", "params.b", "x"], options={"slope": 0.5})

    assert layer.inputs == ("params.w", "params.b", "x")
    assert is_right(layer, {"params.w": W, "params.b": B, "x": X}, {"slope": 0.5})


def test_pytrees_by_example():
    example = [{"w": W, "b": B}, (draw(3, 1, seed=5),)]
    layer = wrap(
        lambda layers, x: jnp.tanh(x @ layers[0]["w"] + layers[0]["b"]) @ layers[1][0], trees={"layers": example}
    )

    assert layer.inputs == ("layers.0.b", "layers.0.w", "layers.1.0", "x")
    assert layer.defaults["layers.0.w"].dtype == np.float64
    assert is_right(layer, {"x": X}, wrt=["x", "layers.0.w", "layers.1.0"])


def test_64_bits_whatever_the_flag_says():
    assert not jax.config.jax_enable_x64

    assert wrap(jnp.tanh, inputs=["x"]).forward({"x": X}, {})[0].dtype == np.float64
    assert wrap(jnp.tanh, inputs=["x"]).forward({"x": X.astype("f4")}, {})[0].dtype == np.float32
    assert not jax.config.jax_enable_x64


def test_a_jax_that_cannot(monkeypatch):
    class Old:
        __version__ = "0.0"
        experimental = config = type("", (), {"jax_enable_x64": False})

    with pytest.raises(UsageError) as caught, JaxEngine(Old, None).session():
        pass
    assert str(caught.value) == (
        "JAX 0.0 computes in 32 bits here, and gradients are measured in 64\n"
        "  = help: set JAX_ENABLE_X64=1, or call jax.config.update('jax_enable_x64', True)"
    )


@pytest.mark.parametrize(
    ("backward", "rule", "begins"),
    [
        (lambda saved, g: (g * saved[1],), "wrong-number-of-gradients", "Custom VJP bwd rule must produce"),
        (lambda saved, g: (g[:2], g), "wrong-shape", "Custom VJP bwd rule must produce"),
    ],
)
def test_what_jax_complains_of_is_a_finding(backward, rule, begins):
    function = with_rule(lambda x, y: x * y, backward)

    _, _, found = pull(wrap(function, inputs=["x", "y"]), {"x": X, "y": X})

    assert [item.rule for item in found.mismatches] == [rule]
    assert found.mismatches[0].message.startswith(begins)


def test_another_output_while_it_is_differentiated():
    function = jax.custom_vjp(jnp.sin)
    function.defvjp(lambda x: (jnp.sin(x) + 1, x), lambda x, g: (g * jnp.cos(x),))

    _, _, found = pull(wrap(function, inputs=["x"]), {"x": X})

    assert [(item.rule, item.message) for item in found.mismatches] == [
        ("derivative-of-another-function", "the output has other values while it is differentiated than by itself")
    ]


def test_second_derivatives():
    options = {"order": 2}

    assert is_right(wrap(silu, inputs=["x", "upstream"], **options), {"x": X, "upstream": draw(4, 2, seed=9)}, options)
    assert is_right(adapt(dense, inputs=["params.w", "params.b", "x"], options=options),
                    {"params.w": W, "params.b": B, "x": X}, options)  # fmt: skip


def test_a_pair_on_arrays_of_jax():
    layer = adapt(silu, backward=silu_backward)

    assert is_right(layer, {"x": X})
    assert layer.forward({"x": X}, {})[0].dtype == np.float64


def test_what_is_no_function_of_jax():
    assert adapt(pairs.softmax, backward=pairs.softmax_backward) is None
    assert adapt(np.tanh) is None
    assert adapt([square]) is None
    with pytest.raises(UsageError, match=r"^int is nothing that works on JAX arrays$"):
        wrap(3)


def test_integers_are_differentiated_as_floats():
    _, g, found = pull(wrap(lambda x: x * 1.5, inputs=["x"]), {"x": np.arange(3)})

    assert np.allclose(found.by_input["x"], 1.5 * g[0])


def test_what_jax_cannot_trace_is_said():
    layer = wrap(through_numpy)

    assert np.array_equal(layer.forward({"x": X}, {})[0], 2 * X)
    with pytest.raises(LayerError, match=r"^forward raised TracerArrayConversionError: "):
        pull(layer, {"x": X})


def test_a_device():
    assert is_right(wrap(jnp.tanh, inputs=["x"], device="cpu:0"), {"x": X}, {"device": "cpu:0"})
    with pytest.raises(UsageError, match=r"^JAX has no device 'toaster' here: "):
        wrap(jnp.tanh, inputs=["x"], device="toaster")
