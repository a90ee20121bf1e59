"""What an examination costs beyond two evaluations a column, counted; and that it costs no verdict."""

import numpy as np
import pytest

from gradcheck.numeric.evaluate import Evaluator
from gradcheck.numeric.examine import examine
from gradcheck.numeric.judge import FAIL, UNDECIDED
from gradcheck.numeric.layout import find_layout
from gradcheck.numeric.precision import detect_precision, round_to_grid
from gradcheck.numeric.survey import survey


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def softmax_backward(g, x):
    y = softmax(x)
    return y * (g - (g * y).sum(1, keepdims=True))


def layer_norm(x):
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + x.dtype.type(1e-5))


def layer_norm_backward(g, x):
    y, deviation = layer_norm(x), np.sqrt(x.var(1, keepdims=True) + 1e-5)
    return (g - g.mean(1, keepdims=True) - y * (g * y).mean(1, keepdims=True)) / deviation


def check(function, backward, x, dtype, seed=0, spoil=None):
    """Examine all slices at once; return the statuses, the evaluations, and the surveys before and after."""
    rng = np.random.default_rng(seed)
    evaluate = Evaluator(lambda z: function(z.astype(dtype)).astype(float).ravel())
    y0 = evaluate(x)
    precision = detect_precision(evaluate, x, y0, rng)
    x = round_to_grid(x, precision)
    shape = np.shape(function(x.astype(dtype)))
    layout = find_layout(evaluate, x, y0, [shape], rng, eps=precision.eps)
    g = rng.standard_normal(shape)
    stage = survey(evaluate, x, g.ravel(), layout, rng, precision)
    claim = backward(g, x).astype(dtype).astype(float)
    found = examine(evaluate, stage, claim if spoil is None else spoil(claim))
    assert layout.kind == "slices"
    return found, stage


def test_doubtful_entries_of_different_slices_share_evaluations():
    slices = np.arange(30)
    wrong = np.zeros((30, 60), dtype=bool)
    wrong[slices, 2 * slices] = True  # each in a column of its own

    def spoil(claim):
        return np.where(wrong, 1.01 * claim, claim)

    found, _ = check(softmax, softmax_backward, np.random.default_rng(1).standard_normal((30, 60)), float, spoil=spoil)

    assert np.array_equal(found.status == FAIL, wrong)
    assert found.escalated == 30
    # an audited one and another of a slice never come together: two at h and 2h, and as many on each rung
    assert found.evaluations - (2 * 60 + 8) <= 2 + 2 * 4 * 5


@pytest.mark.parametrize(("function", "backward"), [(softmax, softmax_backward), (layer_norm, layer_norm_backward)])
def test_layers_in_float32_cost_little_more_than_two_evaluations(function, backward):
    costs, left = [], 0
    for seed in range(8):
        x = np.random.default_rng([seed, 7]).standard_normal((20, 60))
        found, _ = check(function, backward, x, np.float32, seed)
        costs.append(found.evaluations / 60)
        left += int((found.status == UNDECIDED).sum())
        assert not np.any(found.status == FAIL)

    assert np.mean(costs) <= 2.3
    assert left <= 0.01 * 8 * 20 * 60


def test_a_wrong_entry_of_a_layer_in_float32_still_fails():
    wrong = np.zeros((20, 60), dtype=bool)
    wrong[3, 5] = wrong[11, 40] = True

    def spoil(claim):
        return np.where(wrong, claim + 0.3 * np.sqrt(np.mean(claim**2)), claim)

    x = np.random.default_rng(2).standard_normal((20, 60))
    found, _ = check(layer_norm, layer_norm_backward, x, np.float32, spoil=spoil)

    assert np.array_equal(found.status == FAIL, wrong)


def test_steps_are_corrected_by_the_audited_columns_below_float64_only():
    x = np.random.default_rng(3).standard_normal((20, 60))
    x[0] = 0.0
    x[0, :2] = 4.0, 60.0  # saturated: nothing but noise, at any step of the other slices

    narrow, before = check(softmax, softmax_backward, x, np.float32)
    wide, stage = check(softmax, softmax_backward, x, float)

    assert not np.array_equal(narrow.survey.steps, before.steps)
    assert np.array_equal(wide.survey.steps, stage.steps)
    assert not np.any(narrow.status == FAIL)


def spread(rng, shape=(40, 60)):
    """Numbers of either sign from a ten-thousandth to a thousand."""
    return rng.standard_normal(shape) * 10.0 ** rng.uniform(-4, 3, shape)


@pytest.mark.parametrize(
    ("function", "backward", "most"), [(softmax, softmax_backward, 5), (layer_norm, layer_norm_backward, 2.3)]
)
def test_slices_that_cannot_be_settled_in_float32_do_not_spend_the_calls_of_the_others(function, backward, most):
    costs = []
    for seed in range(6):
        found, _ = check(function, backward, spread(np.random.default_rng([seed, 9])), np.float32, seed)
        costs.append(found.evaluations / 60)
        assert not np.any(found.status == FAIL)

    assert np.mean(costs) <= most


def test_a_wrong_entry_beside_slices_that_cannot_be_settled_still_fails():
    wrong = np.zeros((40, 60), dtype=bool)

    def spoil(claim):
        tame = np.argmax(np.sqrt(np.mean(claim**2, axis=1)))
        wrong[tame, np.argmax(np.abs(claim[tame]))] = True
        return np.where(wrong, 0.7 * claim, claim)

    found, _ = check(softmax, softmax_backward, spread(np.random.default_rng([4, 9])), np.float32, 4, spoil)

    assert np.array_equal(found.status == FAIL, wrong)
    assert np.sum(found.status == UNDECIDED) > 60  # there are such slices


def small_shares(x):
    """Sums over rows, the first a thousand times larger than what an entry contributes."""
    shares = 10.0 ** -np.linspace(0, 2, x.shape[1])
    size = np.where(np.arange(x.shape[0]) == 0, 300.0, 1.0)
    return (size + (shares * np.sin(x)).sum(axis=1)).astype(x.dtype)


def small_shares_backward(g, x):
    return g[:, None] * 10.0 ** -np.linspace(0, 2, x.shape[1]) * np.cos(x)


def test_in_float32_an_entry_that_the_noise_would_hide_is_moved_further():
    x = 0.3 * np.random.default_rng(5).standard_normal((20, 60))

    found, before = check(small_shares, small_shares_backward, x, np.float32)

    longer = found.survey.steps[0] / before.steps[0]
    assert len(set(longer)) > 2
    assert longer[-1] > longer[10] >= 1  # the less of the gradient, the further
    assert found.evaluations / 60 <= 2.5
    # but for audited columns, whose steps are those of all
    assert not np.any(np.isin(np.delete(found.status, before.audit, axis=1), (FAIL, UNDECIDED)))


def test_an_entry_that_was_moved_further_is_still_found_wrong():
    wrong = np.zeros((20, 60), dtype=bool)
    wrong[0, 50] = True

    def spoil(claim):
        return np.where(wrong, 3 * claim, claim)

    x = 0.3 * np.random.default_rng(5).standard_normal((20, 60))
    found, _ = check(small_shares, small_shares_backward, x, np.float32, spoil=spoil)

    assert np.array_equal(found.status == FAIL, wrong)
