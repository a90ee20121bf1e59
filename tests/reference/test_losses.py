import mpmath
import numpy as np
import pytest

from gradcheck.reference.losses import (
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_backward,
    huber,
    huber_backward,
    kl_divergence,
    kl_divergence_backward,
    squared_error,
    squared_error_backward,
)

from .differences import evaluate_with_digits, relative_error

ENTRYWISE = {
    squared_error: squared_error_backward,
    binary_cross_entropy_with_logits: binary_cross_entropy_with_logits_backward,
    huber: huber_backward,
}


def test_squared_error_by_hand():
    p, t = np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, 5.0, 2.0]])

    assert squared_error(p, t, reduction="none").tolist() == [[0, 9, 4]]
    assert (float(squared_error(p, t, reduction="sum")), float(squared_error(p, t))) == (13, 13 / 3)
    assert squared_error_backward(1.0, p, t, reduction="sum").tolist() == [[0, -6, 4]]
    np.testing.assert_allclose(squared_error_backward(3.0, p, t), [[0, -6, 4]], rtol=1e-15)


@pytest.mark.parametrize("label", [0.0, 1.0, 0.25])
def test_binary_cross_entropy_against_mpmath(label):
    x = np.array([-700.0, -40.0, -3.0, -1e-3, 0.5, 2.0, 40.0, 700.0])

    def loss(z):
        return label * mpmath.log1p(mpmath.exp(-z)) + (1 - label) * mpmath.log1p(mpmath.exp(z))

    with mpmath.workdps(400):
        losses, slopes = [], []
        for z in map(mpmath.mpf, x):
            s = 1 / (1 + mpmath.exp(-z))
            losses.append(float(loss(z)))
            slopes.append(float(s - label))
    t = np.full(x.shape, label)

    assert relative_error(binary_cross_entropy_with_logits(x, t, reduction="none"), losses) < 1e-13
    gradient = binary_cross_entropy_with_logits_backward(np.ones(x.shape), x, t, reduction="none")
    assert relative_error(gradient, slopes) < 1e-13


def test_binary_cross_entropy_as_it_is_usually_written_would_be_noticed():
    with mpmath.workdps(60):
        exact = float(1 / (1 + mpmath.exp(mpmath.mpf(-40))) - 1)

    assert relative_error(1 / (1 + np.exp(-40.0)) - 1, exact) == 1


@pytest.mark.parametrize("delta", [0.5, 1.0, 3.0])
def test_huber_against_its_two_pieces(delta):
    d = np.array([-4.0, -1.0, -0.3, 0.0, 0.2, 0.5, 1.5, 7.0])
    losses = [x * x / 2 if abs(x) <= delta else delta * (abs(x) - delta / 2) for x in d]
    t = np.linspace(-1, 1, d.size)

    np.testing.assert_allclose(huber(d + t, t, delta, reduction="none"), losses, rtol=1e-14, atol=1e-15)
    gradient = huber_backward(np.ones(d.shape), d + t, t, delta, reduction="none")
    np.testing.assert_allclose(gradient, np.maximum(-delta, np.minimum(delta, d)), rtol=1e-14, atol=1e-15)
    assert not np.allclose(huber(d + t, t, 2 * delta, reduction="none"), losses)


def test_kl_divergence_against_mpmath():
    p, t = np.array([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]]), np.array([[0.1, 0.6, 0.3], [0.0, 0.5, 0.5]])
    with mpmath.workdps(40):
        rows = [
            mpmath.fsum(
                mpmath.mpf(b) * mpmath.log(mpmath.mpf(b) / mpmath.mpf(a)) for a, b in zip(x, y, strict=True) if b
            )
            for x, y in zip(p.tolist(), t.tolist(), strict=True)
        ]
    losses = [float(row) for row in rows]

    np.testing.assert_allclose(kl_divergence(p, t, reduction="none"), losses, rtol=1e-14)
    np.testing.assert_allclose(kl_divergence(p, t), np.mean(losses), rtol=1e-14)
    np.testing.assert_allclose(kl_divergence(p.T, t.T, axis=0, reduction="none"), losses, rtol=1e-14)
    np.testing.assert_allclose(kl_divergence_backward(1.0, p, t), -t / p / 2, rtol=1e-15)
    assert not np.allclose(kl_divergence(t[:1], p[:1]), losses[0], rtol=1e-3)


def test_kl_divergence_of_impossible_classes():
    assert kl_divergence([[0.0, 1.0]], [[0.0, 1.0]]) == 0
    assert kl_divergence_backward(1.0, [[0.0, 1.0]], [[0.0, 1.0]]).tolist() == [[0, -1]]
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert kl_divergence([[0.0, 1.0]], [[0.5, 0.5]]) == np.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ENTRYWISE)
def test_extreme_inputs_are_finite(loss, dtype):
    p, t = np.array([1000, -1000, 1000, 0], dtype=dtype), np.array([1, 1, 0, 0], dtype=dtype)

    for reduction, upstream in (("none", np.ones(4)), ("sum", 1.0), ("mean", 1.0)):
        assert np.all(np.isfinite(loss(p, t, reduction=reduction)))
        assert np.all(np.isfinite(ENTRYWISE[loss](upstream, p, t, reduction=reduction)))


@pytest.mark.parametrize("loss", ENTRYWISE)
def test_single_numbers_and_empty_arrays(loss):
    backward, empty = ENTRYWISE[loss], np.zeros((0, 3))

    assert loss(2.0, 1.0).shape == backward(1.0, 2.0, 1.0).shape == ()
    assert loss(empty, empty, reduction="none").shape == backward(1.0, empty, empty).shape == (0, 3)
    assert loss(empty, empty, reduction="sum") == 0
    assert np.isnan(loss(empty, empty))


def test_empty_rows():
    assert kl_divergence(np.zeros((0, 3)), np.zeros((0, 3)), reduction="none").shape == (0,)
    assert kl_divergence(np.zeros((3, 0)), np.zeros((3, 0)), reduction="none").tolist() == [0, 0, 0]
    assert kl_divergence_backward(1.0, np.zeros((3, 0)), np.zeros((3, 0))).shape == (3, 0)


@pytest.mark.parametrize("loss", [*ENTRYWISE, kl_divergence])
def test_shapes_that_would_broadcast_are_refused(loss):
    with pytest.raises(ValueError, match=r"has the shape \(4, 1\), but target has \(4,\)"):
        loss(np.ones((4, 1)), np.ones(4))


@pytest.mark.parametrize("loss", [*ENTRYWISE, kl_divergence])
def test_unknown_reduction(loss):
    backward = {**ENTRYWISE, kl_divergence: kl_divergence_backward}[loss]

    with pytest.raises(ValueError, match="reduction is 'none', 'sum' or 'mean', not 'avg'"):
        loss(np.ones((4, 1)), np.ones((4, 1)), reduction="avg")
    with pytest.raises(ValueError, match="reduction is 'none', 'sum' or 'mean', not 'avg'"):
        backward(1.0, np.ones((4, 1)), np.ones((4, 1)), reduction="avg")


def test_digits_of_mpmath_are_those_of_a_closed_form():
    assert relative_error(evaluate_with_digits(mpmath.exp, np.array([0.0, 1.0]), derivative=True), [1, np.e]) < 1e-15
    assert relative_error([1.0, 2.0], [1.0, 2.5]) == 0.2
