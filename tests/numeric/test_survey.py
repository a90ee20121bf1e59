import numpy as np
import pytest

from gradcheck.numeric.evaluate import Evaluator
from gradcheck.numeric.examine import examine
from gradcheck.numeric.judge import UNDECIDED
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.noise import find_jumps, measure_noise
from gradcheck.numeric.precision import DOUBLE, SINGLE
from gradcheck.numeric.steps import length_scales
from gradcheck.numeric.survey import survey

RNG = np.random.default_rng(2)
X = RNG.standard_normal(40)


def noise_of(function, x=X, precision=DOUBLE, seed=0):
    y0 = function(x).reshape(1, -1)
    layout = Layout.whole(x.size, y0.size)
    rng = np.random.default_rng(seed)
    scale = length_scales(x, layout)
    return measure_noise(Evaluator(function), x, y0, np.ones(y0.shape), layout, scale, precision, rng)


@pytest.mark.parametrize("level", [1e-12, 1e-8, 1e-4])
def test_noise_level_is_found(level):
    source = np.random.default_rng(9)

    found = noise_of(lambda x: np.tanh(x) + level * source.standard_normal(x.shape))

    assert level / 3 < np.median(found.sigma) < 3 * level


@pytest.mark.parametrize("function", [np.tanh, np.exp, np.square, lambda x: np.sin(50 * x), lambda x: np.maximum(x, 0)])
def test_rounding_is_found_and_nothing_else(function):
    found = noise_of(function)

    assert found.rho <= 64
    assert np.median(found.sigma) < 1e-13


def test_float32_rounding():
    found = noise_of(lambda x: np.tanh(x.astype(np.float32)).astype(float), X.astype(np.float32).astype(float), SINGLE)

    assert 1e-9 < np.median(found.sigma) < 1e-6


def test_kinks_at_every_input_are_no_noise():
    found = noise_of(lambda x: np.maximum(x, 0), np.zeros(12))

    assert found.sigma.max() < 1e-12


def test_jumps_are_no_noise():
    found = noise_of(np.sign, np.append(X, 0.0))

    assert found.plateau
    assert found.sigma.max() < 1e-12


def test_rounded_outputs_are_noise():
    found = noise_of(lambda x: np.round(np.tanh(x), 6))

    assert not found.plateau
    assert 1e-8 < np.median(found.sigma) < 1e-5


def test_errors_that_all_outputs_share():
    source = np.random.default_rng(9)

    found = noise_of(lambda x: np.tanh(x) + 1e-9 * source.standard_normal())

    assert found.common[0] > 3


@pytest.mark.parametrize("above", [1e-5, 1e-6, 1e-8])
def test_jump_beside_one_input_is_no_noise(above):
    x = X.copy()
    x.flat[3] = 2.0 + above

    sawtooth = noise_of(lambda z: (z - np.floor(z)) ** 2, x)

    assert sawtooth.sigma.max() < 1e-12


def test_noise_with_rare_large_errors_is_still_noise():
    source = np.random.default_rng(9)

    found = noise_of(lambda x: np.tanh(x) + 1e-9 * source.standard_normal(x.shape) ** 3)

    assert np.median(found.sigma) > 1e-10


def test_length_scales():
    whole = Layout.whole(3, 3)

    assert length_scales(np.array([0.5, 1e-9, 0.2]), whole).tolist() == [0.5, 1e-9, 0.2]
    assert length_scales(np.array([-1e3, 1e3, 2e3]), whole).tolist() == [1, 1, 1]
    assert length_scales(np.array([3e-3, 0.0, -4e-3]), whole).min() == pytest.approx(np.sqrt(25e-6 / 3))
    assert length_scales(np.zeros(3), whole).tolist() == [1, 1, 1]
    assert length_scales(np.array([0.0, 0.5, 0.5]), whole)[0] > 0


def test_survey_costs_some_twenty_evaluations():
    evaluate = Evaluator(np.tanh)

    stage = survey(evaluate, X, np.ones(40), Layout.whole(40, 40), np.random.default_rng(0), DOUBLE)

    assert stage.evaluations == evaluate.count
    assert 14 <= stage.evaluations <= 50
    assert stage.deterministic


def test_noise_that_is_drawn_anew_is_told_from_rounding():
    source = np.random.default_rng(1)

    def noisy(x):
        return np.tanh(x) * (1 + 0.01 * source.standard_normal(x.shape))

    stage = survey(noisy, X, np.ones(40), Layout.whole(40, 40), np.random.default_rng(0), DOUBLE)

    assert not stage.deterministic


def test_same_seed_same_survey():
    stages = [survey(np.tanh, X, np.ones(40), Layout.whole(40, 40), np.random.default_rng(4), DOUBLE) for _ in range(2)]

    assert np.array_equal(stages[0].steps, stages[1].steps)
    assert np.array_equal(stages[0].sigma, stages[1].sigma)
    assert np.array_equal(stages[0].audit, stages[1].audit)


def test_a_disagreement_that_cannot_be_confirmed_is_remembered():
    x, weights = np.array([0.3, 0.4]), np.ones(2)
    stage = survey(np.tanh, x, weights, Layout.whole(2, 2), np.random.default_rng(0), DOUBLE)
    measured = examine(np.tanh, stage, None)
    right = 1 - np.tanh(x) ** 2
    beyond = measured.allowance[0] * 1.5
    claim = right + np.array([beyond, 0.0])

    found = examine(np.tanh, stage, claim)

    assert found.status is not None
    assert found.status[0] == UNDECIDED
    assert found.suspected.tolist() == [True, False]
    assert not examine(np.tanh, stage, right).suspected.any()


def test_a_jump_is_a_step_a_thousand_times_the_usual_one():
    # for each output one step of eight is larger than the others by another factor; some stand still
    values = np.cumsum(RNG.uniform(0.5, 1.5, (9, 40, 30)), axis=0)
    values[5:] += 10.0 ** RNG.uniform(1, 5, (40, 30))
    values[:, 0], values[:5, 1] = 7.0, 3.0
    steps = np.abs(np.diff(values, axis=0))
    usual = np.sort(steps, axis=0)[4]
    expected = (usual > 0) & (steps.max(axis=0) > 1e3 * usual)

    assert np.array_equal(find_jumps(values), expected)
    assert 0 < expected.sum() < expected.size
