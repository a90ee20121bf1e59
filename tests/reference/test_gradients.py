"""Every backward against the complex step, and what holds of all layers alike: shapes, dtypes, manners."""

import inspect

import numpy as np
import pytest

from gradcheck.reference import softmax as softmax_module

from .differences import as_tuple, complex_step, worst_difference
from .samples import MODULES, SAMPLES, Sample

REAL_ONLY = ("gelu",)  # its erfc takes no complex numbers: test_activations has the digits of mpmath instead
ANALYTIC = [sample for sample in SAMPLES if sample.name not in REAL_ONLY]


@pytest.mark.parametrize("sample", ANALYTIC, ids=str)
def test_backward_is_the_complex_step(sample):
    assert worst_difference(sample.forward, sample.backward, sample.inputs, sample.options, sample.wrt) < 4e-15


@pytest.mark.parametrize("sample", ANALYTIC[:6], ids=str)
def test_a_slightly_wrong_backward_is_noticed(sample):
    def backward(upstream, **arguments):
        gradient = sample.backward(upstream, **arguments).copy()
        gradient.flat[-1] *= 1 + 1e-12
        gradient.flat[0] += 1e-13
        return gradient

    assert worst_difference(sample.forward, backward, sample.inputs, sample.options, sample.wrt) > 4e-15


def test_the_diagonal_alone_is_noticed():
    x = np.random.default_rng(0).normal(size=(4, 5))

    def diagonal_only(upstream, x):
        s = softmax_module.softmax(x)
        return upstream * s * (1 - s)

    assert worst_difference(softmax_module.softmax, diagonal_only, {"x": x}, {}, ("x",)) > 0.1


def test_complex_step_of_a_square():
    gradient = complex_step(lambda x: x * x, {"x": np.array([1.0, -3.0])}, {}, "x", np.array([2.0, 1.0]))

    assert gradient.tolist() == [4.0, -6.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_shapes_and_dtypes_are_kept(sample, dtype):
    cast = sample.cast(dtype)
    output = cast.forward(**cast.inputs, **cast.options)
    # the upstream arrives in float64, as a checker that computes in float64 would hand it over
    gradients = as_tuple(cast.backward(np.ones(output.shape), **cast.inputs, **cast.options))

    assert type(output) is np.ndarray
    assert output.dtype == dtype
    for name, gradient in zip(cast.wrt, gradients, strict=True):
        assert type(gradient) is np.ndarray
        assert (gradient.shape, gradient.dtype) == (cast.inputs[name].shape, dtype)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_float32_is_float64_rounded(sample):
    exact = sample.forward(**sample.inputs, **sample.options)
    upstream = np.random.default_rng(0).normal(size=exact.shape)
    gradients = as_tuple(sample.backward(upstream, **sample.inputs, **sample.options))
    low = sample.cast(np.float32)
    rounded = low.forward(**low.inputs, **low.options)
    rounded_gradients = as_tuple(low.backward(upstream, **low.inputs, **low.options))

    for a, b in zip((rounded, *rounded_gradients), (exact, *gradients), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=4e-6 * np.max(np.abs(b)))


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_inputs_are_left_alone_and_may_be_laid_out_anyhow(sample):
    def scatter(x):
        wide = np.zeros([2 * size for size in x.shape], dtype=x.dtype)[tuple(slice(None, None, 2) for _ in x.shape)]
        wide = np.asarray(wide)
        wide[...] = x
        wide.setflags(write=False)
        return wide

    output = sample.forward(**sample.inputs, **sample.options)
    upstream = np.random.default_rng(0).normal(size=output.shape)
    scattered = {name: scatter(x) for name, x in sample.inputs.items()}

    np.testing.assert_allclose(sample.forward(**scattered, **sample.options), output, rtol=1e-12, atol=1e-14)
    expected = as_tuple(sample.backward(upstream, **sample.inputs, **sample.options))
    for a, b in zip(as_tuple(sample.backward(scatter(upstream), **scattered, **sample.options)), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
        assert not any(np.shares_memory(a, x) for x in scattered.values())


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_upstream_of_another_shape_is_refused(sample):
    output = sample.forward(**sample.inputs, **sample.options)

    with pytest.raises(ValueError, match=r"upstream has the shape \(9, 9\), but the output has"):
        sample.backward(np.ones((9, 9)), **sample.inputs, **sample.options)
    sample.backward(np.ones(output.shape), **sample.inputs, **sample.options)


def test_integers_become_float64():
    x = np.array([[1, 2, 4], [3, 4, 0]])
    s = softmax_module.softmax(x)

    assert s.dtype == np.float64
    np.testing.assert_array_equal(s, softmax_module.softmax(x.astype(float)))
    gradient = softmax_module.softmax_backward(np.array([[1, 0, 0], [0, 0, 1]]), x)
    assert gradient.dtype == np.float64
    assert np.all(gradient != 0)


def test_mixed_dtypes_give_each_gradient_its_own():
    sample = next(sample for sample in SAMPLES if sample.name == "linear")
    inputs = {**sample.inputs, "weight": sample.inputs["weight"].astype(np.float32)}
    output = sample.forward(**inputs)

    assert output.dtype == np.float64
    gradients = sample.backward(np.ones(output.shape), **inputs)
    assert [gradient.dtype for gradient in gradients] == [np.float64, np.float32, np.float64]


def _pairs():
    for module in MODULES:
        for name, function in vars(module).items():
            if name.endswith("_backward") and not name.startswith("_") and function.__module__ == module.__name__:
                yield pytest.param(getattr(module, name.removesuffix("_backward")), function, id=name)


@pytest.mark.parametrize(("forward", "backward"), list(_pairs()))
def test_backward_takes_the_upstream_and_the_arguments_of_the_forward(forward, backward):
    wanted = inspect.signature(forward).parameters.values()
    first, *rest = inspect.signature(backward).parameters.values()

    assert first.name == "upstream"
    assert [(p.name, p.default) for p in rest] == [(p.name, p.default) for p in wanted]


def test_every_pair_has_a_sample():
    pairs = {pair.values[0].__name__ for pair in _pairs()}

    assert {sample.name for sample in SAMPLES} == pairs
    assert len(pairs) == 22


def test_sample_of_an_unknown_layer_is_no_sample():
    with pytest.raises(StopIteration):
        Sample("soft_max", {})
