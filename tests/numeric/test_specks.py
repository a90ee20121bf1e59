"""Entries far smaller than the step made for the array around them: right ones pass, wrong ones do not."""

from collections import Counter

import numpy as np
import pytest

from gradcheck.numeric.directions import try_directions
from gradcheck.numeric.evaluate import Evaluator
from gradcheck.numeric.examine import examine
from gradcheck.numeric.jacobian import measure_jacobian
from gradcheck.numeric.judge import FAIL, STATUSES, UNDECIDED
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.precision import DOUBLE
from gradcheck.numeric.specks import find_specks, find_tiny_lines
from gradcheck.numeric.steps import own_sizes
from gradcheck.numeric.survey import survey

ROWS = np.array([[1.0, 2.0, -1.0], [1.0, -2.0, 0.5], [-3.0, 1.1, 2.0]])
G = np.random.default_rng(1).standard_normal((3, 3))


def normalise(x):
    return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)


def normalise_backward(g, x):
    y = normalise(x)
    return (g - g.mean(1, keepdims=True) - y * (g * y).mean(1, keepdims=True)) / x.std(1, keepdims=True)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def unit_backward(g, x):
    y = unit(x)
    return (g - y * (g * y).sum(1, keepdims=True)) / np.linalg.norm(x, axis=1, keepdims=True)


def rows_with(size):
    return ROWS * np.array([[size], [1.0], [1.0]])


def log_case(size):
    x = ROWS.ravel().copy()
    x[0] = size
    return x, lambda z: np.log(z * z + size * size), G.ravel(), 2 * G.ravel() * x / (x * x + size * size)


def angle_case(size):
    x, other = ROWS.ravel().copy(), -ROWS.ravel()[::-1]
    x[0], other[0] = size, -1.3 * size
    return x, lambda z: np.arctan2(z, other), G.ravel(), G.ravel() * other / (x * x + other * other)


def bounded_case(size):
    x, s = rows_with(size), np.array([[size], [1.0], [1.0]])
    return x, lambda z: z / (1 + np.abs(z) / s), G, G / (1 + np.abs(x) / s) ** 2


CASES = {
    "layer norm": lambda size: (rows_with(size), normalise, G, normalise_backward(G, rows_with(size))),
    "unit rows": lambda size: (rows_with(size), unit, G, unit_backward(G, rows_with(size))),
    "log": log_case,
    "angle": angle_case,
    "bounded": bounded_case,
}


def measured(function, x, g, seed=0):
    evaluate = Evaluator(lambda z: np.asarray(function(z)).ravel())
    rng = np.random.default_rng(seed)
    return evaluate, survey(evaluate, x, g.ravel(), Layout.whole(x.size, g.size), rng, DOUBLE), rng


def spoiled(claim, factor):
    """Return the claim with the tiny first row, or entry, times a factor."""
    wrong = claim.copy()
    wrong[0] = wrong[0] * factor
    return wrong


@pytest.mark.parametrize("power", [6, 7, 8, 9, 10, 12])
@pytest.mark.parametrize("name", CASES)
def test_right_gradient_at_a_tiny_row_is_never_called_wrong(name, power):
    x, function, g, claim = CASES[name](10.0**-power)

    found = [examine(*measured(function, x, g, seed)[:2], claim) for seed in (0, 1)]

    codes = np.concatenate([each.status.ravel() for each in found])
    assert FAIL not in codes
    # where rounding leaves something to be seen, it passes; the bound holds everywhere
    if (name, power) not in {("bounded", 9), ("bounded", 10), ("bounded", 12)}:
        assert UNDECIDED not in codes, Counter(STATUSES[code].value for code in codes)
    assert all(np.all(np.abs(each.value - claim) <= 2 * each.bound + 1e-9 * np.abs(claim)) for each in found)


@pytest.mark.parametrize("factor", [0.0, 1.1, -1.0])
@pytest.mark.parametrize("power", [7, 9, 12])
@pytest.mark.parametrize("name", CASES)
def test_wrong_gradient_at_a_tiny_row_does_not_pass(name, power, factor):
    x, function, g, claim = CASES[name](10.0**-power)

    found = examine(*measured(function, x, g)[:2], spoiled(claim, factor))

    first = np.atleast_1d(found.status[0])
    assert np.isin(first, (FAIL, UNDECIDED)).any()
    if name != "bounded":
        assert FAIL in first
    assert FAIL not in found.status[1:]


@pytest.mark.parametrize("name", CASES)
def test_random_directions_see_a_tiny_row_as_it_is(name):
    x, function, g, claim = CASES[name](1e-8)
    evaluate, around, rng = measured(function, x, g)

    assert try_directions(evaluate, around, claim, rng).agrees

    wrong = try_directions(evaluate, around, spoiled(claim, 0.0), rng)
    assert not wrong.agrees
    assert FAIL in np.atleast_1d(wrong.examination.status[0])


def test_jacobian_at_a_tiny_row_is_within_its_bounds():
    x = rows_with(1e-8)
    true = np.stack([normalise_backward(row.reshape(3, 3), x).ravel() for row in np.eye(9)])

    found = measure_jacobian(lambda z: normalise(z).ravel(), x, np.random.default_rng(0))

    assert np.all(np.abs(found.value - true) <= 2 * found.bound + 1e-9 * np.abs(true))
    assert np.allclose(found.value, true, rtol=1e-3, atol=1e-6)


def test_kept_blocks_of_a_tiny_row_are_within_their_bounds():
    x = rows_with(1e-8)
    true = np.stack([normalise_backward(row.reshape(3, 3), x).ravel() for row in np.eye(9)])

    found = examine(*measured(normalise, x, G)[:2], normalise_backward(G, x), keep_jacobian=True)

    assert np.all(np.abs(found.jacobian - true) <= 2 * found.jacobian_bound + 1e-6 * np.abs(true))


def test_ordinary_arrays_have_no_specks_and_cost_nothing():
    evaluate, around, _ = measured(normalise, ROWS, G)

    assert not find_specks(around).any()
    assert examine(evaluate, around, normalise_backward(G, ROWS)).evaluations == 2 * 9 + 2 * 4


def test_one_speck_costs_nothing_where_the_claim_agrees():
    x = CASES["log"](1e-9)[0]

    evaluate, around, _ = measured(np.sin, x, G)

    assert find_specks(around).sum() == 1
    assert not find_tiny_lines(around).any()
    assert examine(evaluate, around, G.ravel() * np.cos(x)).evaluations == 2 * 9 + 2 * 4


def test_entries_of_all_sizes_cost_no_more_than_others():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((9, 9)) * 10.0 ** rng.uniform(-6, 3, (9, 9))
    upstream = rng.standard_normal((9, 9))

    evaluate, around, _ = measured(np.sin, x, upstream)

    assert find_specks(around).sum() > 9
    assert not find_tiny_lines(around).any()
    assert examine(evaluate, around, upstream * np.cos(x)).evaluations <= 2.5 * 81


def test_a_tiny_row_is_measured_within_itself_even_where_the_claim_agrees():
    x = rows_with(1e-9)

    evaluate, around, _ = measured(np.sin, x, G)

    assert find_tiny_lines(around).sum() == 3
    assert examine(evaluate, around, G * np.cos(x)).evaluations == 2 * 9 + 2 * 4 + 4 * 3


def test_specks_of_an_array_tiny_as_a_whole_and_of_one_sign_are_none():
    for x in (1e-12 * ROWS, np.abs(rows_with(1e-9))):
        assert not find_specks(measured(normalise, x, G)[1]).any()


def test_more_specks_than_may_be_measured_again_are_not_called_wrong():
    x = np.concatenate([1e-9 * ROWS.ravel(), ROWS.ravel(), -ROWS.ravel()])
    evaluate, around, _ = measured(lambda z: np.arctan(z / 1e-9), x, np.ones(27))
    claim = 1e9 / (1 + (x / 1e-9) ** 2)

    few = examine(evaluate, around, claim, max_columns=0)

    assert FAIL not in few.status
    assert UNDECIDED in few.status[:9]


def test_size_of_a_zero_is_that_of_the_smallest_line_through_it():
    x = np.array([[0.0, 2e-9, 2e-9], [3.0, 0.0, 4.0]])

    sizes = own_sizes(x)

    assert sizes[0, 1] == 2e-9
    assert 1e-9 < sizes[0, 0] < 2e-9
    assert 1e-9 < sizes[1, 1] < 2e-9
    assert own_sizes(np.zeros((2, 2))).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_zero_in_a_tiny_row_is_measured_within_the_row():
    x = rows_with(1e-9)
    x[0, 1] = 0.0

    found = examine(*measured(unit, x, G)[:2], unit_backward(G, x))

    assert not np.isin(found.status, (FAIL, UNDECIDED)).any()
