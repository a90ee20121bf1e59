import numpy as np
import pytest

from gradcheck.numeric.bisection import locate
from gradcheck.numeric.directions import try_directions
from gradcheck.numeric.evaluate import Evaluator
from gradcheck.numeric.judge import FAIL
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.precision import detect_precision
from gradcheck.numeric.projection import Projector
from gradcheck.numeric.survey import survey


class Problem:
    """A layer with its right gradient, surveyed; counts every evaluation from the first."""

    def __init__(self, name, shape, dtype=np.float64, seed=1):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(shape).astype(np.float32).astype(float)
        g = rng.standard_normal(shape)

        def softmax(z):
            e = np.exp(z - z.max(-1, keepdims=True))
            return e / e.sum(-1, keepdims=True)

        y = softmax(x)
        function, self.claim = {
            "softmax": (softmax, y * (g - (g * y).sum(-1, keepdims=True))),
            "tanh": (np.tanh, g * (1 - np.tanh(x) ** 2)),
            "relu": (lambda z: np.maximum(z, 0), g * (x > 0)),
            "loss": (lambda z: np.square(z).mean(), 2 * x / x.size),
        }[name]
        weights = np.ones(1) if name == "loss" else g.ravel()
        self.evaluate = Evaluator(lambda z: np.asarray(function(z.astype(dtype)), dtype=float).ravel())
        self.rng = rng
        y0 = self.evaluate(x)
        precision = detect_precision(self.evaluate, x, y0, rng)
        self.survey = survey(self.evaluate, x, weights, Layout.whole(x.size, y0.size), rng, precision)

    def run(self, claim=None, **options):
        return try_directions(self.evaluate, self.survey, self.claim if claim is None else claim, self.rng, **options)

    def wrong(self, count, error):
        size = np.sqrt(np.mean(self.claim**2))
        live = np.flatnonzero(np.abs(self.claim.ravel()) > 0.1 * size)
        chosen = np.sort(self.rng.choice(live, count, replace=False))
        claim = self.claim.copy()
        claim.flat[chosen] *= 1 + error
        return chosen.tolist(), claim


NAMES = ["softmax", "tanh", "relu", "loss"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
def test_right_gradient_agrees_at_the_price_of_the_law(name, dtype):
    problem = Problem(name, (40, 50), dtype)

    found = problem.run()

    assert found.agrees
    assert found.measured
    assert found.location is None
    assert np.all(np.abs(found.residuals) <= found.bounds)
    assert problem.evaluate.count <= 4 * 8 + 60


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 3, 10])
@pytest.mark.parametrize("name", NAMES)
def test_wrong_entries_are_found(name, count, seed):
    problem = Problem(name, (40, 50), seed=seed)
    entries, claim = problem.wrong(count, 0.01)

    found = problem.run(claim)

    assert not found.agrees
    assert found.location.entries == entries
    assert np.flatnonzero(found.examination.status == FAIL).tolist() == entries


@pytest.mark.parametrize(("count", "extra"), [(1, 100), (10, 500)])
def test_price_of_the_search_among_a_million(count, extra):
    problem = Problem("tanh", (1000, 1000))
    entries, claim = problem.wrong(count, 0.01)

    found = problem.run(claim, budget=extra)

    assert found.location.entries == entries
    assert problem.evaluate.count <= 4 * 8 + 60 + extra


@pytest.mark.parametrize("error", [1e-3, -1.0, 1.0])
def test_an_error_everywhere_is_said_to_be_everywhere(error):
    problem = Problem("tanh", (40, 50))

    found = problem.run(problem.claim * (1 + error))

    assert not found.agrees
    assert found.location.blocks == [(0, 2000)]
    assert np.sum(found.examination.status == FAIL) == 32


def test_a_wrong_row_is_found_as_a_block():
    problem = Problem("softmax", (40, 50))
    claim = problem.claim.copy()
    claim[3] *= 1.5

    found = problem.run(claim)

    inside = [entry for entry in found.location.entries if 150 <= entry < 200]
    assert inside == found.location.entries
    assert all(150 <= start < stop <= 200 for start, stop in found.location.blocks)
    assert sum(stop - start for start, stop in found.location.blocks) + len(inside) >= 40


def test_one_error_of_the_stated_size_is_noticed():
    missed = 0
    for seed in range(40):
        problem = Problem("tanh", (10, 10), seed=seed)
        size = problem.run().one
        claim = problem.claim.copy()
        claim[4, 4] += 2 * size
        missed += problem.run(claim).agrees

    assert missed == 0


def test_an_error_far_below_the_stated_size_is_not():
    problem = Problem("tanh", (10, 10))
    claim = problem.claim.copy()
    claim[4, 4] += 1e-4 * problem.run().one

    assert problem.run(claim).agrees


def test_a_claim_that_is_no_number():
    problem = Problem("tanh", (10, 10))
    claim = problem.claim.copy()
    claim[2, 2] = np.nan

    assert not problem.run(claim).agrees


def test_a_spent_budget_is_admitted():
    problem = Problem("tanh", (40, 50))
    _, claim = problem.wrong(10, 0.01)
    projector = Projector(problem.evaluate, problem.survey, claim)
    move = projector.draw(problem.rng)

    found = locate(projector, move, projector.test(move), budget=20)

    assert not found.entries
    assert found.lost
