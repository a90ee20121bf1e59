"""The bound: proved for kinks, calibrated for noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.numeric.evaluate import Evaluator, power_of_two, root_sum_squares
from gradcheck.numeric.examine import examine
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.precision import DOUBLE, SINGLE
from gradcheck.numeric.survey import survey


def measure(function, x, weights=None, eps=None, precision=DOUBLE, seed=0):
    y = function(x)
    weights = np.ones(y.size) if weights is None else weights
    stage = survey(function, x, weights, Layout.whole(x.size, y.size), np.random.default_rng(seed), precision, eps)
    return examine(function, stage, None)


@given(
    distance=st.floats(-2.5, 2.5),
    jump=st.floats(-5, 5).filter(lambda value: abs(value) > 1e-3),
    slope=st.floats(-3, 3),
)
def test_one_kink_anywhere_in_the_stencil_is_covered(distance, jump, slope):
    step = 2.0**-8
    place = distance * step

    def kinked(x):
        return slope * x + jump * np.abs(x - place) / 2

    found = measure(kinked, np.zeros(1), eps=step)

    true = slope + jump / 2 * np.sign(-place)
    bounds = [true] if place else [slope - abs(jump) / 2, slope + abs(jump) / 2]
    error = max(abs(found.value[0] - value) for value in bounds)
    assert error <= found.bound[0] * (1 + 1e-9) + 1e-12


SMOOTH = {
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "exp": (np.exp, np.exp),
    "square": (np.square, lambda x: 2 * x),
    "sin 50x": (lambda x: np.sin(50 * x), lambda x: 50 * np.cos(50 * x)),
    "cubic": (lambda x: x**3 - x, lambda x: 3 * x**2 - 1),
    "arctan": (np.arctan, lambda x: 1 / (1 + x * x)),
}


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_are_covered_by_a_narrow_bound(name, scale):
    function, slope = SMOOTH[name]
    rng = np.random.default_rng(1)
    x, c = scale * rng.standard_normal(40), rng.standard_normal(40)

    found = measure(function, x, c)

    true = c * slope(x)
    assert np.all(np.abs(found.value - true) <= found.bound)
    assert np.median(found.bound) <= 1e-6 * np.abs(true).max()


def test_the_bound_of_a_wrong_derivative_does_not_cover_it():
    rng = np.random.default_rng(1)
    x, c = rng.standard_normal(40), rng.standard_normal(40)

    found = measure(np.tanh, x, c)

    wrong = c * (1 - np.tanh(x) ** 2) * (1 + 1e-6)
    assert np.mean(np.abs(found.value - wrong) > found.bound) > 0.9


def test_float32_inside():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(40).astype(np.float32).astype(float)
    c = rng.standard_normal(40)

    found = measure(lambda z: np.tanh(z.astype(np.float32)).astype(float), x, c, precision=SINGLE)

    assert np.all(np.abs(found.value - c * (1 - np.tanh(x) ** 2)) <= found.bound)
    assert 1e-5 < np.median(found.bound) < 1e-2


@pytest.mark.parametrize("noise", [1e-12, 1e-9, 1e-6])
def test_random_noise_is_measured(noise):
    source = np.random.default_rng(7)

    def noisy(x):
        return np.tanh(x) * (1 + noise * source.standard_normal(x.shape))

    rng = np.random.default_rng(1)
    x, c = rng.standard_normal(60), rng.standard_normal(60)
    y0 = noisy(x)
    stage = survey(noisy, x, c, Layout.whole(60, y0.size), rng, DOUBLE)

    found = examine(noisy, stage, None)

    assert not stage.deterministic
    assert np.all(np.abs(found.value - c * (1 - np.tanh(x) ** 2)) <= found.bound)


def test_steps_stay_on_one_side_of_zero():
    p = np.array([1e-30, 1e-9, 0.3, 0.7])

    found = measure(np.log, p)

    assert np.all(np.abs(found.value - 1 / p) <= found.bound)
    assert np.isfinite(found.bound).all()


def test_function_calls_are_counted_and_copied():
    buffer = np.zeros(3)

    def reusing(x):
        buffer[:] = np.tanh(x)
        x[:] = np.nan
        return buffer

    evaluate = Evaluator(reusing)
    x = np.array([0.1, 0.2, 0.3])
    first = evaluate(x)
    second = evaluate(2 * x)

    assert evaluate.count == 2
    assert np.array_equal(first, np.tanh(x))
    assert np.array_equal(second, np.tanh(2 * x))


def test_another_number_of_outputs_is_no_value():
    evaluate = Evaluator(np.unique)

    assert evaluate(np.array([1.0, 2.0])).size == 2
    assert np.isnan(evaluate(np.array([1.0, 1.0]))).all()


def test_helpers():
    assert np.array_equal(power_of_two(np.array([0.9, 3.1, 1e-3])), [1.0, 4.0, 2.0**-10])
    assert root_sum_squares(np.array([[3e-200, 4e-200]]))[0] == pytest.approx(5e-200)
    assert root_sum_squares(np.zeros((2, 0))).tolist() == [0, 0]
