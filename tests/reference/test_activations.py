import mpmath
import numpy as np
import pytest

from gradcheck.reference import activations, gated

from .differences import evaluate_with_digits, relative_error

EXACT = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "relu": lambda x: max(x, mpmath.mpf(0)),
    "leaky_relu": lambda x: x if x > 0 else x * mpmath.mpf(0.01),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "gelu_tanh": lambda x: x / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf(0.044715) * x**3))),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}
# far out on both sides, close to 0, and in between, but not at the kink and at no zero of a derivative
POINTS = np.concatenate(
    [np.linspace(-8, 8, 20), [-1e-3, 1e-3, -30, 30, -1e-8], np.random.default_rng(0).normal(size=20)]
)


def layer(name):
    module = gated if hasattr(gated, f"{name}_backward") else activations
    return getattr(module, name), getattr(module, f"{name}_backward")


@pytest.mark.parametrize("name", EXACT)
def test_values_against_mpmath(name):
    forward, _ = layer(name)

    # close to its end the lower tail of gelu is as ill-conditioned as exp(-x^2 / 2)
    assert relative_error(forward(POINTS), evaluate_with_digits(EXACT[name], POINTS)) < 2e-13


@pytest.mark.parametrize("name", EXACT)
def test_gradients_against_mpmath_entry_by_entry(name):
    _, backward = layer(name)
    slopes = evaluate_with_digits(EXACT[name], POINTS, derivative=True)

    assert relative_error(backward(np.ones(POINTS.shape), POINTS), slopes) < 1e-12
    assert relative_error(backward(np.full(POINTS.shape, -2.5), POINTS), -2.5 * slopes) < 1e-12


def test_formulas_that_cancel_would_be_noticed():
    slopes = evaluate_with_digits(EXACT["tanh"], POINTS, derivative=True)
    values = evaluate_with_digits(EXACT["gelu_tanh"], POINTS)
    inner = np.sqrt(2 / np.pi) * (POINTS + 0.044715 * POINTS**3)

    assert relative_error(1 - np.tanh(POINTS) ** 2, slopes) > 0.5
    assert relative_error(POINTS / 2 * (1 + np.tanh(inner)), values) > 0.5


@pytest.mark.parametrize("name", EXACT)
def test_float32_is_right_to_its_digits(name):
    forward, backward = layer(name)
    x = POINTS[np.abs(POINTS) < 6].astype(np.float32)

    # exp(u) is off by |u| round-offs of its argument, and gelu_tanh's is 2 u = 25 at 6
    assert relative_error(forward(x), evaluate_with_digits(EXACT[name], x)) < 5e-6
    slopes = evaluate_with_digits(EXACT[name], x, derivative=True)
    np.testing.assert_allclose(backward(np.ones(x.shape), x), slopes, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_extreme_inputs_give_the_limits(name, dtype):
    forward, backward = layer(name)
    x = np.array([-1000, 1000], dtype=dtype)
    values = {"sigmoid": [0, 1], "tanh": [-1, 1], "leaky_relu": [-10, 1000]}.get(name, [0, 1000])
    slopes = {"sigmoid": [0, 0], "tanh": [0, 0], "leaky_relu": [0.01, 1]}.get(name, [0, 1])

    np.testing.assert_allclose(forward(x), values, rtol=1e-6)
    np.testing.assert_allclose(backward(np.ones(2), x), slopes, rtol=1e-6)


def test_tails_of_softplus_and_sigmoid_do_not_vanish_too_soon():
    assert relative_error(activations.softplus([-700.0, -40.0]), np.exp([-700.0, -40.0])) < 1e-13
    assert relative_error(activations.sigmoid_backward([1.0, 1.0], [-700.0, 700.0]), np.exp([-700.0, -700.0])) < 1e-13


@pytest.mark.parametrize(("name", "slope"), [("relu", 0.0), ("leaky_relu", 0.01)])
def test_gradient_at_the_kink_is_the_left_one(name, slope):
    _, backward = layer(name)

    assert backward(np.array([1.0, 1.0, 1.0]), [-0.0, 0.0, 1e-300]).tolist() == [slope, slope, 1]


def test_options():
    np.testing.assert_allclose(activations.leaky_relu([-2.0, 2.0], negative_slope=0.5), [-1, 2])
    np.testing.assert_allclose(activations.softplus([0.3], beta=4.0), np.log1p(np.exp([1.2])) / 4, rtol=1e-15)
    assert activations.softplus([0.3], beta=4.0) != activations.softplus([0.3])


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_single_numbers_and_empty_arrays(name, shape):
    forward, backward = layer(name)
    x = np.ones(shape)

    assert forward(x).shape == backward(np.ones(shape), x).shape == shape


@pytest.mark.parametrize("name", EXACT)
def test_nan_stays_nan(name):
    forward, backward = layer(name)

    assert np.isnan(forward([np.nan, 1.0])).tolist() == [True, False]
    if name not in ("relu", "leaky_relu"):  # their slopes do not depend on how large x is
        assert np.isnan(backward([1.0, 1.0], [np.nan, 1.0])).tolist() == [True, False]
