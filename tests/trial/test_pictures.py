"""What is drawn beside the numbers: when it is there, what it shows, and that nothing hangs on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradcheck.layers.build import wrap
from gradcheck.model import Report, Settings, Verdict
from gradcheck.trial.trial import try_layer

X = np.random.default_rng(3).standard_normal((3, 4))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def right(g, x):
    s = softmax(x)
    return s * (g - (g * s).sum(-1, keepdims=True))


def diagonal(g, x):
    s = softmax(x)
    return s * (1 - s) * g


def tried(backward, x=X, pictures="all", forward=softmax, **settings) -> Report:
    layer = wrap(forward, backward, inputs=("x",), options={})
    return try_layer(layer, {"x": x}, settings=Settings(pictures=pictures, **settings))


def block(x):
    s = softmax(x)
    return np.diag(s) - np.outer(s, s)


def test_both_jacobians():
    grid = tried(diagonal).inputs[0].jacobian
    assert grid is not None
    measured, claimed = (np.reshape(each, grid.shape) for each in (grid.numeric, grid.analytic))
    truth = np.zeros((12, 12))
    for row in range(3):
        truth[4 * row : 4 * row + 4, 4 * row : 4 * row + 4] = block(X[row])

    np.testing.assert_allclose(measured, truth, atol=1e-9)
    np.testing.assert_allclose(claimed, np.diag(np.diag(truth)), atol=1e-11)
    assert grid.outputs == [(3, 4)]
    # wrong is what is in a block and off the diagonal, and nothing else
    assert sorted(grid.wrong) == np.flatnonzero((truth != 0) & ~np.eye(12, dtype=bool)).tolist()


def test_a_right_one_has_no_marks():
    part = tried(right).inputs[0]

    assert part.jacobian is not None
    assert part.jacobian.wrong == []
    assert part.jacobian.analytic == pytest.approx(part.jacobian.numeric, abs=1e-9)


def test_the_curve_is_of_the_worst_entry():
    part = tried(diagonal).inputs[0]
    curve = part.curve
    assert curve is not None

    worst = max(part.worst, key=lambda entry: entry.error)
    assert (curve.index, curve.analytic) == (worst.index, worst.analytic)
    assert curve.numeric == pytest.approx(worst.numeric, abs=2 * curve.bound + 2 * worst.bound)
    assert curve.steps == sorted(curve.steps)
    assert curve.roundoff == pytest.approx(-1, abs=0.3)
    assert curve.truncation == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize(("pictures", "of_wrong", "of_right"), [("none", 0, 0), ("wrong", 1, 0), ("all", 1, 1)])
def test_they_are_there_where_they_are_asked_for(pictures: str, of_wrong: int, of_right: int):
    for backward, expected in ((diagonal, of_wrong), (right, of_right)):
        (part,) = tried(backward, pictures=pictures).inputs
        assert [part.curve is not None, part.jacobian is not None] == [bool(expected)] * 2


@pytest.mark.parametrize("backward", [right, diagonal])
def test_nothing_else_depends_on_them(backward):
    plain, drawn = tried(backward, pictures="none"), tried(backward)
    spent = drawn.counts.pictures

    for part in drawn.inputs:
        part.curve = part.jacobian = None
    drawn.counts.pictures = 0
    assert drawn == plain
    # each of the 37 steps of a sweep takes two forwards
    assert 74 < spent < 400
    assert plain.counts.pictures == 0


def test_the_same_pictures_again():
    assert tried(diagonal).inputs == tried(diagonal).inputs


@pytest.mark.parametrize(
    ("shape", "backward", "there"),
    [((8, 8), right, True), ((8, 9), right, False), ((8, 9), diagonal, True), ((16, 17), diagonal, False)],
)
def test_large_jacobians_are_left_out(shape, backward, there):
    part = tried(backward, np.random.default_rng(0).standard_normal(shape)).inputs[0]

    assert (part.jacobian is not None) is there
    assert part.curve is not None


def test_a_single_output_has_no_jacobian_beside_its_gradient():
    part = tried(lambda g, x: g * 2 * x, forward=lambda x: np.sum(x**2)).inputs[0]

    assert part.jacobian is None
    assert part.curve is not None


def test_a_layer_that_gives_up_costs_its_picture_only():
    calls = 0

    def tired(g, x):
        nonlocal calls
        calls += 1
        if calls > limit:
            raise ValueError("enough")
        return diagonal(g, x)

    limit = 10**9
    tried(tired, pictures="none")
    limit, calls = calls, 0
    report = tried(tired)

    assert report.verdict is Verdict.FAIL
    assert report.inputs[0].jacobian is None
    assert report.inputs[0].curve is not None


def test_a_layer_with_a_memory_has_no_jacobian():
    total = np.zeros_like(X)

    def adding(g, x):
        nonlocal total
        total = total + right(g, x)
        return total

    report = tried(adding)

    assert report.findings[0].rule == "accumulates-across-calls"
    assert report.inputs[0].jacobian is None


def test_a_gradient_shown_for_another_upstream():
    # wrong in one tiny entry of the Jacobian only, which one Gaussian upstream does not show
    size = np.array([1.0, 1e-8])

    def backward(g, x):
        return g * size * np.array([1.0, 1.1]) + 0 * x

    report = tried(backward, np.ones((2,)), forward=lambda x: size * x)
    (part,) = report.inputs
    assert part.curve is not None
    entry = max(part.worst, key=lambda each: each.error)

    assert report.verdict is Verdict.FAIL
    assert part.curve.numeric == pytest.approx(entry.numeric, rel=1e-6)
    assert replace(part.curve, analytic=entry.analytic) == part.curve
