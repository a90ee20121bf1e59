from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gradcheck.numeric.directions import try_directions
from gradcheck.numeric.evaluate import Evaluator, median, percentile
from gradcheck.numeric.examine import examine
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.precision import DOUBLE
from gradcheck.numeric.survey import survey

RNG = np.random.default_rng(0)


class Together:
    """A function that takes several points at once, and remembers how they came."""

    def __init__(self, function, together):
        self._function, self.together = function, together
        self.plain, self.batches = 0, []

    def __call__(self, x):
        self.plain += 1
        return self._function(x)

    def many(self, points):
        self.batches.append(len(points))
        return [self._function(x) for x in points]


def test_points_come_one_by_one_and_only_when_they_are_needed() -> None:
    asked = []

    def points():
        for number in range(5):
            asked.append(number)
            yield np.full(2, float(number))

    evaluate = Evaluator(lambda x: 2 * x)
    values = evaluate.many(points())

    assert next(values).tolist() == [0.0, 0.0]
    assert (asked, evaluate.count) == ([0], 1)
    assert [value[0] for value in values] == [2.0, 4.0, 6.0, 8.0]
    assert evaluate.count == 5


def test_points_go_together_where_the_function_takes_them() -> None:
    function = Together(lambda x: x * x, 3)
    evaluate = Evaluator(function)

    assert [float(value[0]) for value in evaluate.many(np.array([float(i)]) for i in range(7))] == [
        float(i * i) for i in range(7)
    ]
    assert (function.batches, function.plain, evaluate.count) == ([3, 3], 1, 7)


def test_a_function_may_change_its_mind() -> None:
    function = Together(np.sin, 4)
    evaluate = Evaluator(function)
    values = evaluate.many(np.array([float(i)]) for i in range(10))
    for _ in range(4):
        next(values)

    function.together = 1

    assert len(list(values)) == 6
    assert (function.batches, function.plain) == ([4], 6)


def test_another_number_of_outputs_is_no_number_together_as_alone() -> None:
    def odd(x):
        return x[: 1 + (x[0] < 2)]

    points = [np.array([float(i), 1.0]) for i in range(4)]

    one_by_one, together = Evaluator(odd), Evaluator(Together(odd, 4))
    expected = [value.copy() for value in one_by_one.many(points)]

    assert np.array_equal(expected, [value.copy() for value in together.many(points)], equal_nan=True)
    assert np.isnan(expected[3]).all()


def mixed(x):
    return np.cumsum(np.tanh(x) ** 2) + np.abs(x)


@pytest.mark.parametrize("together", [2, 5, 1000])
def test_what_is_measured_does_not_depend_on_how_the_points_come(together: int) -> None:
    x, weights = RNG.standard_normal(40), RNG.standard_normal(40)
    claim = RNG.standard_normal(40)

    def run(function):
        rng = np.random.default_rng(1)
        evaluate = Evaluator(function)
        around = survey(evaluate, x, weights, Layout.whole(40, 40), rng, DOUBLE)
        found = examine(evaluate, around, claim, keep_jacobian=True)
        tried = try_directions(evaluate, around, claim, rng)
        return around, found, tried, evaluate.count

    stacked = Together(mixed, together)
    around, found, tried, count = run(mixed)
    around2, found2, tried2, count2 = run(stacked)

    assert count == count2 == stacked.plain + sum(stacked.batches)
    assert stacked.plain < count / 2
    assert np.array_equal(around.steps, around2.steps)
    assert np.array_equal(around.sigma, around2.sigma)
    assert np.array_equal(found.value, found2.value, equal_nan=True)
    assert np.array_equal(found.bound, found2.bound)
    assert np.array_equal(found.status, found2.status)
    assert np.array_equal(found.jacobian, found2.jacobian)
    assert np.array_equal(tried.residuals, tried2.residuals)
    assert np.array_equal(tried.bounds, tried2.bounds)
    assert tried.location.entries == tried2.location.entries


@pytest.mark.parametrize("size", [1, 2, 3, 20, 33])
def test_medians_and_percentiles_are_those_of_numpy(size: int) -> None:
    values = RNG.standard_normal(size)

    assert median(values) == np.median(values)
    assert median(values.reshape(1, -1)) == np.median(values)
    for percent in (0, 10, 60, 100):
        assert percentile(values, percent) == pytest.approx(np.percentile(values, percent), rel=1e-14)


def test_special_values() -> None:
    assert np.isnan(median([]))
    assert np.isnan(median([1.0, np.nan, 2.0]))
    assert median([1.0, np.inf, np.inf]) == np.inf
    assert median([np.inf, np.inf]) == np.inf


def test_masked_arrays_stay_away() -> None:
    code = (
        "import sys, numpy as np\nfrom gradcheck.numeric.evaluate import median, percentile\n"
        "median(np.arange(4.0)), percentile(np.arange(4.0), 10)\n{}print('numpy.ma' in sys.modules)\n"
    )

    def said(extra: str) -> str:
        command = [sys.executable, "-c", code.format(extra)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert said("") == "False"
    if np.lib.NumpyVersion(np.__version__) >= "2.3.0":
        assert said("np.median(np.arange(4.0))\n") == "True"
