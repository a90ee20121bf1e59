import mpmath
import numpy as np
import pytest

from gradcheck.reference.cross_entropy import (
    cross_entropy,
    cross_entropy_backward,
    cross_entropy_from_probabilities,
    cross_entropy_from_probabilities_backward,
)
from gradcheck.reference.softmax import softmax, split_softmax

from .differences import relative_error

LOGITS = np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5], [0.0, 3.0, 1.0], [-2.0, 0.1, 0.2]])
INDICES = np.array([2, 0, 2, 1])
ONE_HOT = np.eye(3)[INDICES]
WEIGHTS = np.array([0.5, 2.0, 3.0])


def exact_losses(logits, rows, weights):
    with mpmath.workdps(40):
        losses = []
        for x, t in zip(logits, rows, strict=True):
            total = mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(float(one))) for one in x))
            losses.append(
                float(
                    mpmath.fsum(w * b * (total - mpmath.mpf(float(a))) for a, b, w in zip(x, t, weights, strict=True))
                )
            )
        return np.array(losses)


def test_losses_against_mpmath():
    losses = exact_losses(LOGITS, ONE_HOT, [1, 1, 1])

    np.testing.assert_allclose(cross_entropy(LOGITS, INDICES, reduction="none"), losses, rtol=1e-14)
    np.testing.assert_allclose(cross_entropy(LOGITS, INDICES, reduction="sum"), losses.sum(), rtol=1e-14)
    np.testing.assert_allclose(cross_entropy(LOGITS, INDICES), losses.mean(), rtol=1e-14)
    assert not np.allclose(cross_entropy(LOGITS, INDICES[::-1], reduction="none"), losses)


def test_weighted_and_smoothed_losses_against_mpmath():
    smoothed = 0.8 * ONE_HOT + 0.2 / 3
    losses = exact_losses(LOGITS, smoothed, WEIGHTS)
    options = {"class_weights": WEIGHTS, "label_smoothing": 0.2}

    for target in (INDICES, ONE_HOT):
        np.testing.assert_allclose(cross_entropy(LOGITS, target, reduction="none", **options), losses, rtol=1e-14)
        np.testing.assert_allclose(
            cross_entropy_from_probabilities(softmax(LOGITS), target, reduction="none", **options), losses, rtol=1e-13
        )
    # with indices the mean is a weighted one; with rows it is over the rows
    np.testing.assert_allclose(cross_entropy(LOGITS, INDICES, **options), losses.sum() / (3 + 0.5 + 3 + 2), rtol=1e-14)
    np.testing.assert_allclose(cross_entropy(LOGITS, ONE_HOT, **options), losses.sum() / 4, rtol=1e-14)


def test_smoothed_weighted_mean_as_pytorch_composes_it():
    indexed = cross_entropy(LOGITS, INDICES, WEIGHTS, label_smoothing=0.2)
    by_hand = -np.log(softmax(LOGITS))
    picked = by_hand[np.arange(4), INDICES] * WEIGHTS[INDICES]
    spread = np.sum(by_hand * WEIGHTS, axis=1)

    # (1 - a) nll + a / K smooth, each over the weights of the labels
    expected = (0.8 * picked.sum() + 0.2 / 3 * spread.sum()) / WEIGHTS[INDICES].sum()
    np.testing.assert_allclose(indexed, expected, rtol=1e-14)


def test_fused_gradient_is_softmax_minus_labels():
    expected = (softmax(LOGITS) - ONE_HOT) / 4

    np.testing.assert_allclose(cross_entropy_backward(1.0, LOGITS, INDICES), expected, rtol=1e-14)
    np.testing.assert_allclose(cross_entropy_backward(1.0, LOGITS, ONE_HOT), expected, rtol=1e-14)
    np.testing.assert_allclose(
        cross_entropy_backward(-3.0, LOGITS, INDICES, reduction="sum"), -12 * expected, rtol=1e-14
    )


@pytest.mark.parametrize("margin", [30.0, 40.0, 100.0])
def test_gradient_of_a_row_that_is_nearly_right_keeps_its_digits(margin):
    logits = np.array([[0.0, margin, 1.0]])
    with mpmath.workdps(60):
        powers = [mpmath.exp(mpmath.mpf(x)) for x in logits[0]]
        s = [power / mpmath.fsum(powers) for power in powers]
        expected = [[float(s[0]), float(s[1] - 1), float(s[2])]]

    assert relative_error(cross_entropy_backward(1.0, logits, [1]), expected) < 1e-13
    assert relative_error(softmax(logits) - [0, 1, 0], expected) > 1e-7


def test_complement_of_a_softmax():
    x = np.array([[2.0, 2.0, 0.0], [-np.inf, 0.0, -40.0]])
    s, rest = split_softmax(x, -1)

    np.testing.assert_array_equal(s, softmax(x))
    np.testing.assert_allclose(rest[0], 1 - s[0], rtol=1e-14)
    np.testing.assert_allclose(rest[1], [1, np.exp(-40), 1], rtol=1e-14)


def test_labels_that_do_not_sum_to_1_are_taken_at_their_word():
    gradient = cross_entropy_backward(1.0, LOGITS, 2 * ONE_HOT)

    np.testing.assert_allclose(gradient, (softmax(LOGITS) - ONE_HOT) / 2, rtol=1e-14)
    assert not np.allclose(gradient, (softmax(LOGITS) - 2 * ONE_HOT) / 4)


def test_the_axis_of_the_classes():
    x = np.random.default_rng(0).normal(size=(2, 5, 3))
    labels = np.random.default_rng(1).integers(0, 5, size=(2, 3))
    moved = np.moveaxis(x, 1, -1)

    np.testing.assert_array_equal(
        cross_entropy(x, labels, axis=1, reduction="none"), cross_entropy(moved, labels, reduction="none")
    )
    gradient = cross_entropy_backward(np.ones((2, 3)), x, labels, axis=1, reduction="none")
    expected = cross_entropy_backward(np.ones((2, 3)), moved, labels, reduction="none")
    np.testing.assert_allclose(np.moveaxis(gradient, 1, -1), expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits(dtype):
    logits = np.array([[1000, -1000, 0], [-1000, 1000, 1000]], dtype=dtype)
    for target in (np.array([1, 0]), np.array([[0.2, 0.3, 0.5], [0, 1, 0]])):
        losses = cross_entropy(logits, target, reduction="none")

        assert np.all(np.isfinite(losses))
        assert np.all(np.isfinite(cross_entropy_backward(np.ones(2), logits, target, reduction="none")))
    np.testing.assert_allclose(cross_entropy(logits, [1, 0], reduction="none"), [2000, 2000 + np.log(2)], rtol=1e-6)


def test_zero_times_the_logarithm_of_zero_is_zero():
    p, target = np.array([[0.0, 0.25, 0.75]]), np.array([[0.0, 1.0, 0.0]])

    assert cross_entropy_from_probabilities(p, target) == np.log(4)
    assert cross_entropy_from_probabilities_backward(1.0, p, target).tolist() == [[0, -4, 0]]
    assert cross_entropy(np.array([[-np.inf, 0.0, 0.0]]), np.array([1])) == pytest.approx(np.log(2))


def test_a_probability_of_zero_under_its_label_costs_infinitely_much():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert cross_entropy_from_probabilities([[0.0, 1.0]], np.array([0])) == np.inf


def test_probability_gradient_by_hand():
    p = softmax(LOGITS)

    np.testing.assert_allclose(cross_entropy_from_probabilities_backward(1.0, p, INDICES), -ONE_HOT / p / 4, rtol=1e-15)


def test_one_row_and_none():
    assert cross_entropy(LOGITS[0], INDICES[0], reduction="none").shape == ()
    np.testing.assert_allclose(
        cross_entropy(LOGITS[0], INDICES[0]), exact_losses(LOGITS[:1], ONE_HOT[:1], [1, 1, 1])[0], rtol=1e-14
    )
    assert np.isnan(cross_entropy(np.zeros((0, 3)), np.zeros(0, dtype=int)))
    assert cross_entropy(np.zeros((0, 3)), np.zeros(0, dtype=int), reduction="sum") == 0
    assert cross_entropy_backward(1.0, np.zeros((0, 3)), np.zeros(0, dtype=int)).shape == (0, 3)


@pytest.mark.parametrize(
    ("target", "extra", "message"),
    [
        (np.array([0, 1, 2]), {}, r"target has the shape \(3,\), but the rows of the logits have \(4,\)"),
        (np.array([0, 1, 2, 3]), {}, "target holds labels from 0 to 3, but there are 3 classes"),
        (np.array([0, -1, 2, 2]), {}, "target holds labels from -1 to 2, but there are 3 classes"),
        (np.array([0.0, 1.0, 2.0, 2.0]), {}, "labels as indices are integers, but target is float64"),
        (np.ones((3, 4)), {}, r"target has the shape \(3, 4\): labels as rows have \(4, 3\), labels as indices"),
        (INDICES, {"class_weights": np.ones(4)}, r"class_weights has the shape \(4,\), but there are 3 classes"),
        (INDICES, {"reduction": "average"}, "reduction is 'none', 'sum' or 'mean', not 'average'"),
    ],
)
def test_arguments_that_do_not_fit(target, extra, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy(LOGITS, target, **extra)
    with pytest.raises(ValueError, match=message):
        cross_entropy_from_probabilities_backward(1.0, softmax(LOGITS), target, **extra)
