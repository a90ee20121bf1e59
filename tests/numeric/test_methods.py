import numpy as np
import pytest

from gradcheck.numeric.layout import Layout, find_layout
from gradcheck.numeric.methods import METHODS, measure
from gradcheck.numeric.precision import DOUBLE
from gradcheck.numeric.survey import survey
from gradcheck.numeric.sweep import sweep

X = np.random.default_rng(0).standard_normal((3, 4))
G = np.random.default_rng(1).standard_normal((3, 4))


def softmax(x):
    e = np.exp(x - x.real.max(1, keepdims=True))
    return (e / e.sum(1, keepdims=True)).ravel()


Y = softmax(X).reshape(X.shape)
TRUE = Y * (G - (G * Y).sum(1, keepdims=True))


def stage_of(function, x=X, layout=None):
    y = function(x)
    weights = G.ravel() if y.size == G.size else np.ones(y.size)
    return survey(function, x, weights, layout or Layout.whole(x.size, y.size), np.random.default_rng(0), DOUBLE)


@pytest.mark.parametrize("sliced", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_methods_agree_with_the_truth_within_their_bounds(method, sliced):
    layout = find_layout(softmax, X, softmax(X), [X.shape], np.random.default_rng(0)) if sliced else None

    found = measure(softmax, stage_of(softmax, layout=layout), method, complex_function=softmax)

    assert found.believed
    assert np.all(np.abs(found.value - TRUE) <= found.bound)
    assert np.median(found.bound) < 1e-8


@pytest.mark.parametrize("method", METHODS)
def test_methods_disagree_with_a_wrong_gradient(method):
    found = measure(softmax, stage_of(softmax), method, complex_function=softmax)

    assert np.all(np.abs(found.value - 1.001 * TRUE) > found.bound)


def test_complex_step_that_loses_its_imaginary_part_is_not_believed():
    def careless(z):
        return np.abs(softmax(z)) + 0j

    found = measure(softmax, stage_of(softmax), "complex-step", complex_function=careless)

    assert not found.believed
    assert found.note == "the complex step disagrees with central differences on 8 of 8 entries"


def test_unknown_method():
    with pytest.raises(ValueError, match="no method 'forward': one of central, one-sided, richardson, complex-step"):
        measure(softmax, stage_of(softmax), "forward")


def test_complex_step_needs_a_complex_function():
    with pytest.raises(ValueError, match="a complex step needs a function that takes complex input"):
        measure(softmax, stage_of(softmax), "complex-step")


def test_one_sided_at_the_edge_of_the_domain():
    x = np.array([-1.0, 0.0])

    def edge(z):
        return np.where(z <= 0, np.exp(z), np.nan)

    found = measure(edge, stage_of(edge, x), "one-sided")

    assert np.all(np.abs(found.value - np.exp(x)) <= found.bound)


def test_sweep_shows_both_branches():
    found = sweep(softmax, stage_of(softmax))

    assert found.roundoff == pytest.approx(-1, abs=0.25)
    assert found.truncation == pytest.approx(2, abs=0.1)
    assert found.chosen / 16 <= found.best <= found.chosen * 16
    assert len(found.steps) == len(found.values) == len(found.errors) == 37
    assert found.evaluations >= 2 * 37


def test_sweep_of_a_kink_has_no_second_order():
    def kinked(x):
        return np.abs(x - 1e-4).ravel()

    found = sweep(kinked, stage_of(kinked, np.zeros((2, 2))), entry=0)

    assert not 1.5 < found.truncation < 2.5


def test_sweep_of_a_line_has_no_truncation():
    def line(x):
        return 3 * x.ravel()

    assert np.isnan(sweep(line, stage_of(line), entry=2).truncation)


def test_sweep_against_a_claim():
    found = sweep(softmax, stage_of(softmax), entry=5, reference=float(1.01 * TRUE.flat[5]))

    assert found.entry == 5
    assert np.nanmin(found.errors) > 1e-3 * abs(TRUE.flat[5])
