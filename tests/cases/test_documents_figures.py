"""The two figures of the pages: which measure and which inputs come near "about 1 %" and "about 0.90"."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

DOCUMENTS = Path(__file__).parents[2] / "cases" / "documents"


def numeric_gradient(function: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return central differences of a scalar function, as a textbook would take them."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        move = np.zeros(x.shape)
        move[index] = step
        gradient[index] = (function(x + move) - function(x - move)) / (2 * step)
    return gradient


def about_one_percent(seed: int, classes: int, scale: float) -> tuple[float, float]:
    """Return the largest absolute and the relative difference of the compute/delta pair before a squared error."""
    room = runpy.run_path(str(DOCUMENTS / "compute_delta.py"))
    rng = np.random.default_rng(seed)
    incoming = scale * rng.standard_normal(classes)
    activation, cost = room["Softmax"](), room["SquaredError"](np.eye(classes)[rng.integers(classes)])
    outgoing = activation.compute(incoming)
    analytic = activation.delta(incoming, outgoing) * cost.delta(outgoing)
    numeric = numeric_gradient(lambda x: cost.compute(activation.compute(x)), incoming)
    gap = np.abs(analytic - numeric)
    return float(gap.max()), float(np.linalg.norm(gap) / np.linalg.norm(numeric))


def about_nine_tenths(seed: int, shape: tuple[int, int], backward: str = "softmax_backward") -> tuple[float, float]:
    """Return the mean relative error of the entries, and the norm of the difference over the sum of the norms."""
    room = runpy.run_path(str(DOCUMENTS / "axis_softmax.py"))
    rng = np.random.default_rng(seed)
    arr, upper = rng.standard_normal((2, *shape))
    analytic = room[backward](arr, 1, upper)
    numeric = numeric_gradient(lambda x: float(np.sum(upper * room["softmax"](x, 1))), arr)
    gap = np.abs(analytic - numeric)
    entries = gap / np.maximum(np.abs(analytic), np.abs(numeric))
    norms = np.linalg.norm(gap) / (np.linalg.norm(analytic) + np.linalg.norm(numeric))
    return float(entries.mean()), float(norms)


def test_one_percent_is_the_largest_difference_of_ten_nearly_equal_classes() -> None:
    figures = np.array([about_one_percent(seed, classes=10, scale=0.01) for seed in range(50)])

    assert np.median(figures[:, 0]) == pytest.approx(0.009, abs=0.0005)
    # Relative to the gradient the very same arrays differ by ten times as much.
    assert np.median(figures[:, 1]) == pytest.approx(0.10, abs=0.005)


def test_one_percent_is_the_relative_difference_of_a_hundred_nearly_equal_classes() -> None:
    figures = np.array([about_one_percent(seed, classes=100, scale=0.01) for seed in range(10)])

    assert np.median(figures[:, 1]) == pytest.approx(0.01, abs=0.001)


def test_classes_that_are_not_nearly_equal_are_further_off() -> None:
    figures = np.array([about_one_percent(seed, classes=10, scale=1.0) for seed in range(50)])

    assert np.median(figures[:, 1]) > 0.2


def test_nine_tenths_is_the_mean_relative_error_of_ten_slices() -> None:
    figures = np.array([about_nine_tenths(seed, (10, 10)) for seed in range(21)])

    assert np.median(figures[:, 0]) == pytest.approx(0.90, abs=0.03)
    # The quotient of norms, which courses teach, stays well below.
    assert np.median(figures[:, 1]) == pytest.approx(0.68, abs=0.05)


def test_the_mended_code_shows_no_such_figure() -> None:
    entries, norms = about_nine_tenths(0, (10, 10), "softmax_backward_fixed")

    assert entries < 1e-5
    assert norms < 1e-8


@pytest.mark.parametrize("backward", ["softmax_backward", "softmax_backward_fixed"])
def test_as_asked_there_is_no_gradient_to_compare(backward: str) -> None:
    room = runpy.run_path(str(DOCUMENTS / "axis_softmax.py"))
    arr, upper = np.array([[1, 2], [3, 4]]), np.ones((2, 2))

    numeric = numeric_gradient(lambda x: float(np.sum(upper * room["softmax"](x, 1))), arr.astype(float))

    assert np.abs(room[backward](arr, 1, upper)).max() < 1e-15
    assert np.abs(numeric).max() < 1e-9
