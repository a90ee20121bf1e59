import mpmath
import numpy as np
import pytest

from gradcheck.reference.norms import (
    batch_norm,
    batch_norm_backward,
    layer_norm,
    layer_norm_backward,
    rms_norm,
    rms_norm_backward,
)

X = np.array([[1.0, 2.0, 4.0], [-3.0, 0.5, 0.25]])


def exact_layer_norm(row, gamma, beta, epsilon):
    with mpmath.workdps(40):
        row = [mpmath.mpf(float(x)) for x in row]
        mean = mpmath.fsum(row) / len(row)
        variance = mpmath.fsum((x - mean) ** 2 for x in row) / len(row)
        scale = 1 / mpmath.sqrt(variance + mpmath.mpf(epsilon))
        return [float(g * (x - mean) * scale + b) for x, g, b in zip(row, gamma, beta, strict=True)]


def test_layer_norm_against_mpmath():
    gamma, beta = np.array([1.5, -0.5, 2.0]), np.array([0.1, 0.2, -0.3])
    expected = [exact_layer_norm(row, gamma, beta, 1e-5) for row in X]

    np.testing.assert_allclose(layer_norm(X, gamma, beta), expected, rtol=1e-14)
    np.testing.assert_allclose(layer_norm(X.T, gamma, beta, axis=0), np.transpose(expected), rtol=1e-14)
    assert not np.allclose(layer_norm(X, gamma, beta, epsilon=0.1), expected)


def test_batch_norm_is_the_layer_norm_of_the_columns():
    one, gamma, beta = np.ones(2), np.array([1.5, -0.5, 2.0]), np.array([0.1, 0.2, -0.3])

    np.testing.assert_allclose(
        batch_norm(X, gamma, beta), gamma * layer_norm(X, one, 0 * one, axis=0) + beta, rtol=1e-15
    )


def test_batch_norm_of_images():
    rng = np.random.default_rng(0)
    images, gamma, beta = rng.normal(size=(4, 3, 5, 2)), rng.normal(size=3), rng.normal(size=3)
    flat = np.moveaxis(images, 1, -1).reshape(-1, 3)
    expected = np.moveaxis(batch_norm(flat, gamma, beta).reshape(4, 5, 2, 3), -1, 1)

    np.testing.assert_allclose(batch_norm(images, gamma, beta, axis=[0, 2, 3]), expected, rtol=1e-12, atol=1e-14)
    assert not np.allclose(batch_norm(images, gamma, beta, axis=[0, -1, 2]), np.flip(expected, 0))


def test_rms_norm_by_hand():
    expected = X / np.sqrt(np.array([[21 / 3], [(9 + 0.25 + 0.0625) / 3]]) + 1e-6) * [1, 2, 3]

    np.testing.assert_allclose(rms_norm(X, [1, 2, 3]), expected, rtol=1e-15)


def test_normalised_slices_have_mean_0_and_variance_1():
    x = np.random.default_rng(0).normal(3, 2, size=(4, 50))
    normal = layer_norm(x, np.ones(50), np.zeros(50), epsilon=0)

    np.testing.assert_allclose(np.mean(normal, axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(np.var(normal, axis=1), 1, rtol=1e-14)
    assert np.max(np.abs(np.mean(normal, axis=0))) > 0.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_inputs_are_finite(dtype):
    for x in (np.full((2, 3), 1000), np.array([[1000, -1000, 1000], [0, 0, 0]]), np.full((2, 3), 1e-30)):
        x, gamma, upstream = x.astype(dtype), np.ones(3, dtype), np.ones((2, 3))
        outputs = [
            layer_norm(x, gamma, gamma),
            *layer_norm_backward(upstream, x, gamma, gamma),
            batch_norm(x, gamma, gamma),
            *batch_norm_backward(upstream, x, gamma, gamma),
            rms_norm(x, gamma),
            *rms_norm_backward(upstream, x, gamma),
        ]

        assert all(np.all(np.isfinite(output)) for output in outputs)


def test_a_large_mean_costs_no_more_digits_than_it_must():
    # the variance as mean(x^2) - mean(x)^2 would be lost altogether: 1e16 has no room for 1
    x = np.array([[1.0, 2.0, 4.0]])
    far = layer_norm(x + 1e8, np.ones(3), np.zeros(3))

    np.testing.assert_allclose(far, layer_norm(x, np.ones(3), np.zeros(3)), rtol=1e-7)
    assert np.mean((x + 1e8) ** 2) - np.mean(x + 1e8) ** 2 != pytest.approx(np.var(x), rel=0.1)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_empty_arrays(shape):
    x, along, across = np.zeros(shape), np.zeros(shape[1]), np.zeros(shape[1])

    assert layer_norm(x, along, along).shape == shape
    assert [g.shape for g in layer_norm_backward(x, x, along, along)] == [shape, along.shape, along.shape]
    assert batch_norm(x, across, across).shape == shape
    assert [g.shape for g in batch_norm_backward(x, x, across, across)] == [shape, across.shape, across.shape]
    assert [g.shape for g in rms_norm_backward(x, x, along)] == [shape, along.shape]
    assert rms_norm(x, along).shape == shape


def test_slice_of_one_entry_is_its_bias():
    assert layer_norm([[5.0], [7.0]], [2.0], [3.0]).tolist() == [[3.0], [3.0]]
    assert layer_norm_backward(np.ones((2, 1)), [[5.0], [7.0]], [2.0], [3.0])[0].tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("function", [layer_norm, batch_norm])
def test_parameters_that_do_not_fit(function):
    with pytest.raises(ValueError, match=r"gamma has the shape \(2,\), but x asks for \(3,\)"):
        function(X, np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match=r"beta has the shape \(1,\), but x asks for \(3,\)"):
        function(X, np.ones(3), np.ones(1))


def test_parameters_of_a_backward_that_do_not_fit():
    with pytest.raises(ValueError, match=r"beta has the shape \(1,\)"):
        layer_norm_backward(X, X, np.ones(3), np.ones(1))
    with pytest.raises(ValueError, match=r"gamma has the shape \(2,\)"):
        rms_norm_backward(X, X, np.ones(2))


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        (2, "axis 2 is out of range for an array of 2 dimensions"),
        ([1, -1], r"axis \[1, -1\] names the same axis twice"),
    ],
)
def test_impossible_axes(axis, message):
    with pytest.raises(ValueError, match=message):
        layer_norm(X, np.ones(3), np.ones(3), axis=axis)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradient_of_two_entries_keeps_its_digits(dtype):
    # x becomes -1 and 1 whatever it is; only epsilon leaves a gradient, 1e-5 of what goes into the difference
    x, gamma, upstream = np.array([[0.5, 2.5]], dtype), np.ones(2, dtype), np.array([[0.75, -1.25]], dtype)
    epsilon, variance = 1e-5, 1.0
    expected = np.array([[1.0, -1.0]]) * epsilon / (variance + epsilon) ** 1.5
    normal = (x - 1.5) / np.sqrt(dtype(variance + epsilon))
    usual = upstream - upstream.mean() - normal * np.mean(upstream * normal)

    gradient, *_ = layer_norm_backward(upstream, x, gamma, 0 * gamma)
    np.testing.assert_allclose(gradient, expected, rtol=16 * np.finfo(dtype).eps)
    assert np.max(np.abs(usual / expected - 1)) > 64 * np.finfo(dtype).eps


def test_rms_gradient_of_one_entry_keeps_its_digits():
    x = np.array([[3.0]])
    gradient, _ = rms_norm_backward([[2.0]], x, [1.0])

    np.testing.assert_allclose(gradient, [[2e-6 / (9 + 1e-6) ** 1.5]], rtol=1e-14)
