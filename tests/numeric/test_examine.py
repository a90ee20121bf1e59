"""Verdicts: no false alarm, no bug that passes, and what cannot be decided is said."""

from collections import Counter

import numpy as np
import pytest

from gradcheck.numeric.evaluate import Evaluator
from gradcheck.numeric.examine import examine
from gradcheck.numeric.judge import FAIL, FLOOR, KINK, NONFINITE, PASS, STATUSES, UNDECIDED
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.precision import detect_precision, round_to_grid
from gradcheck.numeric.survey import survey


def check(function, x, weights, claim, seed=0, **options):
    """Run the stages as a trial does; the claim may be a function of the point."""
    x = np.asarray(x, dtype=float)
    evaluate = Evaluator(lambda z: np.asarray(function(z)).astype(float).ravel())
    rng = np.random.default_rng(seed)
    y0 = evaluate(x)
    precision = detect_precision(evaluate, x, y0, rng)
    x = round_to_grid(x, precision)
    stage = survey(evaluate, x, np.asarray(weights, dtype=float).ravel(), Layout.whole(x.size, y0.size), rng, precision)
    return examine(evaluate, stage, claim(x) if callable(claim) else np.asarray(claim, dtype=float), **options)


def statuses(found):
    return Counter(STATUSES[code].value for code in found.status.ravel())


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def softmax_backward(g):
    def backward(x):
        y = softmax(x)
        return y * (g - (g * y).sum(1, keepdims=True))

    return backward


X = np.random.default_rng(0).standard_normal((3, 4))
G = np.random.default_rng(1).standard_normal((3, 4))


def test_right_gradient_passes_with_two_evaluations_an_entry():
    found = check(softmax, X, G, softmax_backward(G))

    assert statuses(found) == {"pass": 12}
    assert found.evaluations == 2 * 12 + 2 * 4
    assert not found.vacuous


@pytest.mark.parametrize("error", [1e-5, 1e-3, 0.1, -1.0, -2.0, 1e12])
def test_wrong_factor_fails(error):
    found = check(softmax, X, G, lambda x: softmax_backward(G)(x) * (1 + error))

    assert statuses(found) == {"fail": 12}


@pytest.mark.parametrize("scale", [1e-280, 1e-12, 1.0, 1e12, 1e200])
def test_scale_of_the_loss_does_not_matter(scale):
    right = check(lambda x: scale * softmax(x), X, G, lambda x: scale * softmax_backward(G)(x))
    wrong = check(lambda x: scale * softmax(x), X, G, lambda x: 1.01 * scale * softmax_backward(G)(x))

    assert statuses(right) == {"pass": 12}
    assert statuses(wrong) == {"fail": 12}


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_scale_of_the_upstream_does_not_matter(scale):
    assert statuses(check(softmax, X, scale * G, softmax_backward(scale * G))) == {"pass": 12}
    assert statuses(check(softmax, X, scale * G, softmax_backward(1.01 * scale * G))) == {"fail": 12}


@pytest.mark.parametrize("error", [0.1, 1e-2, 1e-3, 1e-5])
def test_a_single_wrong_entry_fails_alone(error):
    claim = softmax_backward(G)(X)
    claim[1, 2] *= 1 + error

    found = check(softmax, X, G, claim)

    assert statuses(found) == {"pass": 11, "fail": 1}
    assert found.status[1, 2] == FAIL


def test_float32_inside():
    def narrow(x):
        return softmax(x.astype(np.float32))

    right = check(narrow, X, G, softmax_backward(G))
    wrong = check(narrow, X, G, lambda x: 1.2 * softmax_backward(G)(x))

    assert "fail" not in statuses(right)
    assert statuses(right)["pass"] >= 10
    assert statuses(wrong)["fail"] >= 10


@pytest.mark.parametrize(
    ("value", "status"), [(0.0, KINK), (0.5, KINK), (1.0, KINK), (2.0, FAIL), (-1.0, FAIL), (1.2, FAIL), (-0.1, FAIL)]
)
def test_relu_at_zero(value, status):
    x = np.array([0.0, 0.0, 0.0, 1.0, -1.0, 1e-9])
    g = np.array([1.0, 2.0, -1.0, 1.0, 1.0, 1.0])

    found = check(lambda z: np.maximum(z, 0), x, g, g * np.where(x == 0, value, x > 0))

    assert found.status[:3].tolist() == [status] * 3
    assert found.status[3:].tolist() == [PASS, FLOOR, PASS]
    assert found.lower[:3] == pytest.approx([0, 0, -1])
    assert found.upper[:3] == pytest.approx([1, 2, 0])


def maximum(z):
    return z.max(1)


TIED = np.array([[1.0, 1.0, 0.5], [0.3, 2.0, 2.0]])

KINKED = {
    "max, first of a tie": (maximum, TIED, [1, 1], [[1, 0, 0], [0, 1, 0]], {2: 4, 1: 2}),
    "max, split over a tie": (maximum, TIED, [1, -2], [[0.5, 0.5, 0], [0, -1, -1]], {2: 4, 1: 2}),
    "max, too much for a tie": (maximum, TIED, [1, 1], [[3, 0, 0], [0, 1, 0]], {4: 1, 2: 3, 1: 2}),
    "abs": (np.abs, [0.0, 1.0, -2.0], [1, 1, 1], [0, 1, -1], {2: 1, 0: 2}),
    "abs, outside": (np.abs, [0.0, 1.0, -2.0], [1, 1, 1], [1.5, 1, -1], {4: 1, 0: 2}),
    "clip": (lambda z: np.clip(z, -1, 1), [-1.0, 1.0, 0.2, 3.0], [1, 1, 1, 1], [1, 0, 1, 0], {2: 2, 0: 1, 1: 1}),
    "clip, outside": (
        lambda z: np.clip(z, -1, 1),
        [-1.0, 1.0, 0.2, 3.0],
        [1, 1, 1, 1],
        [2, 0, 1, 0],
        {4: 1, 2: 1, 0: 1, 1: 1},
    ),
    "two kinks that hide each other": (
        lambda z: np.stack([np.maximum(z, 0), np.maximum(-z, 0)]),
        [0.0, 1.0],
        [1, 1, -1, -1],
        [0, 1],
        {2: 1, 0: 1},
    ),
    "close to a kink": (lambda z: np.abs(z - 3), [3.000001, 5.0], [1, 1], [1, 1], {0: 2}),
    "close to a kink, wrong side": (lambda z: np.abs(z - 3), [3.000001, 5.0], [1, 1], [-1, 1], {4: 1, 0: 1}),
    "mean of abs": (lambda z: np.abs(z).mean(), [0.0, 2.0, 0.0, -1.0], [1], [0, 0.25, 0, -0.25], {2: 2, 0: 2}),
}


@pytest.mark.parametrize("name", KINKED)
def test_kinks(name):
    function, x, g, claim, expected = KINKED[name]

    assert Counter(check(function, x, g, claim).status.ravel().tolist()) == expected


STEPS = {
    "sign": (np.sign, [0.0, 1.0, -2.0], 0.0, [KINK, FLOOR, FLOOR]),
    "round": (np.round, [0.5, 0.2, 1.3, 2.49999], 0.0, [KINK, FLOOR, FLOOR, FLOOR]),
    "floor": (np.floor, [0.5, 0.2, 1.0], 0.0, [FLOOR, FLOOR, KINK]),
    "round, straight through": (np.round, [0.2, 1.3, 2.2], 1.0, [FAIL, FAIL, FAIL]),
}


@pytest.mark.parametrize("name", STEPS)
def test_piecewise_constant_functions(name):
    function, x, claim, expected = STEPS[name]

    assert check(function, x, np.ones(len(x)), np.full(len(x), claim)).status.tolist() == expected


def test_nothing_is_refuted_at_a_jump():
    assert check(np.sign, [0.0, 1.0], [1.0, 1.0], [5.0, 0.0]).status[0] == UNDECIDED


@pytest.mark.parametrize(
    ("function", "slope", "x"),
    [
        (np.log, lambda x: 1 / x, [1e-3, 1e-12, 1.0, 0.5]),
        (np.log, lambda x: 1 / x, [1e-9, 0.3, 0.7, 1e-30]),
        (np.sqrt, lambda x: 0.5 / np.sqrt(x), [1e-12, 1.0, 0.5, 2.0]),
        (np.arcsin, lambda x: 1 / np.sqrt(1 - x * x), [1 - 1e-9, 0.99, -0.5, 0.0]),
        (lambda x: np.log(1 - x), lambda x: -1 / (1 - x), [1 - 1e-9, 0.5, -3.0, 0.2]),
        (lambda x: x**1.5, lambda x: 1.5 * np.sqrt(x), [1e-12, 1.0, 0.5, 2.0]),
        (lambda x: np.where(x >= 0, x, np.nan), np.ones_like, [0.0, 1.0, 2.0, 0.5]),
    ],
)
def test_edges_of_the_domain(function, slope, x):
    x, g = np.array(x), np.array([1.0, -2.0, 0.5, 1.0])

    right = check(function, x, g, g * slope(x))
    wrong = check(function, x, g, 1.1 * g * slope(x))

    assert set(statuses(right)) <= {"pass", "floor", "undecided"}
    assert "pass" not in statuses(wrong)
    assert wrong.status.max() == FAIL


def test_infinite_slope_is_not_refuted():
    found = check(np.sqrt, [0.0, 1.0], [1.0, 1.0], [np.inf, 0.5])

    assert found.status.tolist() == [NONFINITE, PASS]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_claim_that_is_no_number_fails_where_the_slope_is_one(bad):
    assert check(np.tanh, [0.1, 0.2], [1.0, 1.0], [bad, 1 - np.tanh(0.2) ** 2]).status.tolist() == [FAIL, PASS]
    assert check(np.abs, [0.0, 0.2], [1.0, 1.0], [bad, 1.0]).status.tolist() == [FAIL, PASS]


def test_outputs_that_are_not_finite_are_left_out():
    found = check(
        lambda x: np.concatenate([np.tanh(x), [-np.inf, np.nan]]), [0.1, 0.2], np.ones(4), lambda x: 1 - np.tanh(x) ** 2
    )

    assert found.status.tolist() == [PASS, PASS]


def test_function_that_is_finite_nowhere_else():
    found = check(lambda x: np.where(x == 0.5, 1.0, np.nan), [0.5, 0.5], [1.0, 1.0], [0.0, 0.0])

    assert found.status.tolist() == [NONFINITE, NONFINITE]


def test_constant_function():
    zero = check(lambda x: 0 * x + 3, np.arange(3.0), np.ones(3), np.zeros(3))
    other = check(lambda x: 0 * x + 3, np.arange(3.0), np.ones(3), np.full(3, 1e-3))

    assert statuses(zero) == {"floor": 3}
    assert zero.vacuous
    assert statuses(other) == {"fail": 3}


def test_gradient_that_cancels_is_vacuous():
    found = check(softmax, X, np.ones((3, 4)), softmax_backward(np.ones((3, 4))))

    assert found.vacuous
    assert statuses(found) == {"floor": 12}


def test_gradient_that_should_cancel_but_does_not_fails():
    found = check(softmax, X, np.ones((3, 4)), lambda x: 1e-3 * x)

    assert statuses(found) == {"fail": 12}


def test_zero_claim_of_a_gradient_that_is_none():
    assert statuses(check(softmax, X, G, np.zeros((3, 4)))) == {"fail": 12}


@pytest.mark.parametrize("shape", [(0, 3), (0,)])
def test_no_inputs(shape):
    found = check(lambda x: np.ones(2), np.zeros(shape), np.ones(2), np.zeros(shape))

    assert found.status.shape == shape


def test_no_outputs():
    assert check(lambda x: np.zeros(0), [3.0], np.ones(0), [0.0]).status.tolist() == [FLOOR]
    assert check(lambda x: np.zeros(0), [3.0], np.ones(0), [1.0]).status.tolist() == [FAIL]


def test_array_without_axes():
    assert check(lambda x: x**2, np.array(3.0), np.ones(1), np.array(6.0)).status == PASS
    assert check(lambda x: x**2, np.array(3.0), np.ones(1), np.array(6.1)).status == FAIL


@pytest.mark.parametrize("x", [np.ones((2, 3)), np.zeros((2, 3))], ids=["ones", "zeros"])
def test_equal_inputs(x):
    g = np.arange(6.0).reshape(2, 3)

    assert set(statuses(check(softmax, x, g, softmax_backward(g)))) <= {"pass", "floor"}


def test_noise_is_no_bug_and_a_large_bug_is_found_in_it():
    source = np.random.default_rng(3)

    def noisy(x):
        return softmax(x) * (1 + 1e-9 * source.standard_normal(x.shape))

    right, wrong = check(noisy, X, G, softmax_backward(G)), check(noisy, X, G, lambda x: 1.5 * softmax_backward(G)(x))

    assert "fail" not in statuses(right)
    assert statuses(wrong)["fail"] >= 10
    assert "pass" not in statuses(wrong)


def test_drift_with_the_number_of_calls_is_no_bug():
    calls = iter(range(10**6))

    found = check(
        lambda x: np.tanh(x) + 1e-6 * next(calls), [0.1, 0.5, -1.0], np.ones(3), lambda x: 1 - np.tanh(x) ** 2
    )

    assert "fail" not in statuses(found)


def test_pole_near_by_is_no_bug():
    a = np.array([[1.0, 0.99999], [1.0, 1.0]])

    for seed in range(12):
        g = np.random.default_rng(seed).standard_normal((2, 2))
        inverse = np.linalg.inv(a)
        found = check(np.linalg.inv, a, g, -(inverse.T @ g @ inverse.T), seed=seed)
        assert "fail" not in statuses(found)


def test_whole_periods_are_no_agreement():
    x = 1e3 * np.random.default_rng(2).standard_normal(50).astype(np.float32).astype(float)

    found = check(
        lambda z: np.sin(np.float32(50) * z.astype(np.float32)), x, np.ones(50), lambda z: 50 * np.cos(50 * z)
    )

    assert "fail" not in statuses(found)


def test_only_some_entries():
    found = check(softmax, X, G, softmax_backward(G), entries=np.array([1, 7]))

    assert found.examined.ravel().nonzero()[0].tolist() == [1, 7]
    assert found.status.ravel()[[1, 7]].tolist() == [PASS, PASS]
    assert np.isnan(found.value.ravel()[0])


def test_without_a_claim_only_measures():
    found = _measure_only()

    assert found.status is None
    assert np.all(np.abs(found.value - softmax_backward(G)(X)) <= found.bound)


def _measure_only():
    rng = np.random.default_rng(0)
    function = Evaluator(lambda z: softmax(z).ravel())
    stage = survey(function, X, G.ravel(), Layout.whole(12, 12), rng, detect_precision(function, X, function(X), rng))
    return examine(function, stage, None)


def test_jacobian_is_kept():
    found = check(softmax, X, G, softmax_backward(G), keep_jacobian=True)
    y = softmax(X)
    true = np.zeros((12, 12))
    for row in range(3):
        part = slice(4 * row, 4 * row + 4)
        true[part, part] = np.diag(y[row]) - np.outer(y[row], y[row])

    assert np.all(np.abs(found.jacobian - true) <= found.jacobian_bound)
    assert np.median(found.jacobian_bound) < 1e-8


def test_many_suspects_are_believed_when_those_examined_were_confirmed():
    x = np.random.default_rng(4).standard_normal(200)

    found = check(np.tanh, x, np.ones(200), lambda z: 1.1 * (1 - np.tanh(z) ** 2), max_columns=16)

    assert found.escalated == 16
    assert statuses(found) == {"fail": 200}


def test_own_tolerances():
    loose = check(softmax, X, G, lambda x: softmax_backward(G)(x) * (1 + 1e-4), rtol=1e-3)
    flat = check(softmax, X, G, lambda x: softmax_backward(G)(x) + 1e-4, atol=1e-3)

    assert "fail" not in statuses(loose)
    assert "fail" not in statuses(flat)
    assert loose.tau == 1e-3


def test_own_step():
    rng = np.random.default_rng(0)

    stage = survey(
        np.tanh,
        np.ones(3),
        np.ones(3),
        Layout.whole(3, 3),
        rng,
        detect_precision(np.tanh, np.ones(3), np.tanh(np.ones(3)), rng),
        eps=1e-4,
    )

    assert stage.steps.tolist() == [[1e-4] * 3]
