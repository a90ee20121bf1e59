import mpmath
import numpy as np
import pytest

from gradcheck.reference.softmax import (
    log_softmax,
    log_softmax_backward,
    logsumexp,
    logsumexp_backward,
    softmax,
    softmax_backward,
)

from .differences import relative_error

EXTREMES = (
    [1000.0, -1000.0, 0.0],
    [1000.0, 1000.0, 999.0],
    [-1000.0, -1000.0, -1001.0],
    [710.0, 709.0, -745.0],
    [1e-3, -1e-3, 0.0],
    [3.0, 1.0, 2.0],
)


def exact_softmax(x):
    with mpmath.workdps(60):
        powers = [mpmath.exp(mpmath.mpf(float(one))) for one in x]
        return [power / mpmath.fsum(powers) for power in powers]


def exact_softmax_backward(upstream, x):
    s = exact_softmax(x)
    with mpmath.workdps(60):
        mean = mpmath.fsum(mpmath.mpf(float(g)) * one for g, one in zip(upstream, s, strict=True))
        return [float(one * (mpmath.mpf(float(g)) - mean)) for g, one in zip(upstream, s, strict=True)]


@pytest.mark.parametrize("x", EXTREMES)
def test_values_against_mpmath(x):
    s = exact_softmax(x)
    with mpmath.workdps(60):
        logarithm = mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(one)) for one in x))
        logarithms = [float(mpmath.mpf(one) - logarithm) for one in x]

    assert relative_error(softmax(x), [float(one) for one in s]) < 1e-13
    np.testing.assert_allclose(log_softmax(x), logarithms, rtol=1e-15, atol=1e-16)
    np.testing.assert_allclose(logsumexp(x), float(logarithm), rtol=1e-15, atol=1e-16)


def test_softmax_without_the_shift_would_not_do():
    with np.errstate(all="ignore"):
        powers = np.exp(np.array(EXTREMES[0]))

        assert not np.all(np.isfinite(powers / powers.sum()))


@pytest.mark.parametrize("x", EXTREMES)
def test_gradients_against_mpmath_entry_by_entry(x):
    upstream = [0.7, -1.3, 0.4]
    s = np.array([float(one) for one in exact_softmax(x)])

    assert relative_error(softmax_backward(upstream, x), exact_softmax_backward(upstream, x)) < 1e-12
    np.testing.assert_allclose(log_softmax_backward(upstream, x), upstream - s * -0.2, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(logsumexp_backward(0.7, x), 0.7 * s, rtol=1e-13)


def test_saturated_gradient_keeps_its_digits():
    x, upstream = [40.0, 0.0, 1.0], np.array([0.7, -1.3, 0.4])
    expected = exact_softmax_backward(upstream, x)
    s = softmax(x)
    once = s * (upstream - np.sum(upstream * s))  # the formula as it is usually written

    assert relative_error(softmax_backward(upstream, x), expected) < 1e-12
    assert relative_error(once, expected) > 0.01


def test_every_axis_is_its_own():
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    for axis in (0, 1, 2, -1, -3):
        moved = np.moveaxis(x, axis, -1)

        np.testing.assert_allclose(np.sum(softmax(x, axis), axis=axis), 1, rtol=1e-15)
        np.testing.assert_array_equal(np.moveaxis(log_softmax(x, axis), axis, -1), log_softmax(moved))
        np.testing.assert_array_equal(logsumexp(x, axis), logsumexp(moved))
        assert logsumexp(x, axis, keepdims=True).shape == np.sum(x, axis=axis, keepdims=True).shape
    assert not np.allclose(softmax(x, 0), softmax(x, 1))


def test_gradients_of_a_softmax_sum_to_zero():
    rng = np.random.default_rng(0)
    x, upstream = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    gradient = softmax_backward(upstream, x, axis=0)

    np.testing.assert_allclose(np.sum(gradient, axis=0), 0, atol=1e-16)
    assert np.max(np.abs(np.sum(gradient, axis=1))) > 1e-3
    assert np.max(np.abs(softmax_backward(np.ones((4, 5)), x))) < 1e-31


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", [softmax, log_softmax, logsumexp])
def test_finite_on_extreme_logits(function, dtype):
    x = (1000 * np.random.default_rng(0).choice([-1, 0, 1], size=(4, 5))).astype(dtype)
    backward = {softmax: softmax_backward, log_softmax: log_softmax_backward, logsumexp: logsumexp_backward}[function]
    output = function(x)

    assert np.all(np.isfinite(output))
    assert np.all(np.isfinite(backward(np.ones(output.shape), x)))


def test_one_number_is_a_slice_of_length_one():
    assert (float(softmax(3.0)), float(log_softmax(3.0)), float(logsumexp(3.0))) == (1, 0, 3)
    assert (float(softmax_backward(2.0, 3.0)), float(log_softmax_backward(2.0, 3.0))) == (0, 0)
    assert float(logsumexp_backward(2.0, 3.0)) == float(logsumexp_backward(2.0, 3.0, keepdims=True)) == 2


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_empty_arrays(shape):
    x = np.zeros(shape)
    reduced = logsumexp(x)

    assert softmax(x).shape == log_softmax(x).shape == softmax_backward(x, x).shape == shape
    assert log_softmax_backward(x, x).shape == logsumexp_backward(reduced, x).shape == shape
    assert reduced.shape == shape[:-1]
    assert np.all(reduced == -np.inf)


def test_masked_entries():
    x = [0.0, -np.inf, 1.0]

    np.testing.assert_array_equal(softmax(x)[[0, 2]], softmax([0.0, 1.0]))
    assert softmax(x)[1] == 0
    assert logsumexp(x) == logsumexp([0.0, 1.0])
    assert logsumexp([-np.inf, -np.inf]) == -np.inf
    assert logsumexp([np.inf, 1.0]) == np.inf


@pytest.mark.parametrize("function", [softmax, log_softmax, logsumexp])
def test_axis_out_of_range(function):
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        function(np.zeros((4, 5)), axis=2)


def test_axis_of_a_backward_out_of_range():
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        logsumexp_backward(np.zeros(4), np.zeros((4, 5)), axis=2)
