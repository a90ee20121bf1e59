import numpy as np
import pytest

from gradcheck.numeric.jacobian import measure_jacobian
from gradcheck.numeric.layout import find_layout

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4))


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return (e / e.sum(1, keepdims=True)).ravel()


def true_softmax():
    y = softmax(X).reshape(3, 4)
    true = np.zeros((12, 12))
    for row in range(3):
        part = slice(4 * row, 4 * row + 4)
        true[part, part] = np.diag(y[row]) - np.outer(y[row], y[row])
    return true


@pytest.mark.parametrize("sliced", [False, True])
def test_jacobian_of_softmax(sliced):
    layout = find_layout(softmax, X, softmax(X), [X.shape], np.random.default_rng(0)) if sliced else None

    found = measure_jacobian(softmax, X, np.random.default_rng(0), layout=layout)

    assert np.all(np.abs(found.value - true_softmax()) <= found.bound)
    assert np.median(found.bound) < 1e-9
    assert found.evaluations <= 60 + 4 * (4 if sliced else 12)


def test_a_wrong_jacobian_is_not_covered():
    found = measure_jacobian(softmax, X, np.random.default_rng(0))

    assert np.any(np.abs(found.value - true_softmax().T * 1.001) > found.bound)


def test_rectangular_jacobian():
    matrix = RNG.standard_normal((5, 12))

    found = measure_jacobian(lambda x: matrix @ x.ravel(), X, np.random.default_rng(0))

    assert found.value.shape == (5, 12)
    assert np.all(np.abs(found.value - matrix) <= found.bound)


def test_kinks_near_by_are_measured_closer():
    x = np.array([3e-6, -5e-6, 1.0, 0.3])

    found = measure_jacobian(lambda z: np.maximum(z, 0), x, np.random.default_rng(0))

    assert np.all(np.abs(found.value - np.diag(x > 0)) <= found.bound)
    assert found.bound.max() < 1e-3


def test_outputs_that_are_not_finite_have_no_derivative():
    found = measure_jacobian(lambda z: np.append(np.tanh(z), np.nan), np.array([0.1, 0.2]), np.random.default_rng(0))

    assert np.isnan(found.value[2]).all()
    assert np.isinf(found.bound[2]).all()
    assert np.isfinite(found.bound[:2]).all()


def test_edge_of_the_domain():
    found = measure_jacobian(np.log, np.array([1e-9, -0.0 + 0.5, 2.0]), np.random.default_rng(0))

    assert np.abs(np.diag(found.value)[1:] - [2, 0.5]).max() < 1e-6


@pytest.mark.parametrize("shape", [(0,), (0, 3)])
def test_nothing_to_measure(shape):
    assert measure_jacobian(lambda z: np.ones(2), np.zeros(shape), np.random.default_rng(0)).value.shape == (2, 0)


def test_no_outputs():
    assert measure_jacobian(lambda z: np.zeros(0), np.ones(3), np.random.default_rng(0)).value.shape == (0, 3)
