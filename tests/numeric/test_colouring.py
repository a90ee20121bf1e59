"""Which outputs see which inputs, found by moving them; and that nothing is believed of it unseen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradcheck.numeric.colouring import colour, extend, find_local, group_rows
from gradcheck.numeric.evaluate import Evaluator
from gradcheck.numeric.examine import examine
from gradcheck.numeric.judge import FAIL, PASS
from gradcheck.numeric.layout import Layout, NotLocalError
from gradcheck.numeric.locality import verify
from gradcheck.numeric.precision import DOUBLE
from gradcheck.numeric.survey import survey

RNG = np.random.default_rng(7)
KERNEL = np.array([0.5, -2.0, 1.0, 0.25, -0.75])
TABLE = RNG.integers(0, 40, 60)
ORDER = RNG.permutation(128)


def convolve(x):
    return np.tanh(np.convolve(x, KERNEL, "valid"))


def correlate_2d(x):
    h, w = x.shape
    return sum((i + 2 * j + 1) * x[i : h - 2 + i, j : w - 2 + j] for i in range(3) for j in range(3)) ** 2


def pool(x):
    return x.reshape(-1, 4).max(1)


def find(function, x, most=64):
    evaluate = Evaluator(lambda z: np.ravel(function(z)))
    return find_local(evaluate, x, evaluate(x), np.random.default_rng(0), most), evaluate


def pattern(layout, outputs):
    dense = np.zeros((outputs + 1, layout.size), dtype=bool)
    dense[layout.outputs[:, 0:], layout.inputs] = True
    return dense[:-1]


def true_pattern(function, x):
    y = np.ravel(function(x))
    columns = []
    for i in range(x.size):
        up, down = x.copy(), x.copy()
        up.flat[i] += 0.3
        down.flat[i] -= 0.3
        columns.append((np.ravel(function(up)) != y) | (np.ravel(function(down)) != y))
    return np.array(columns).T


LOCAL = {
    "convolution": (convolve, (200,), 5, 60),
    "convolution over a boundary of the code": (lambda x: x[1:] * x[:-1], (257,), 2, 60),
    "dilated": (lambda x: x[32:] - 2 * x[:-32], (128,), 2, 60),
    "moving average": (lambda x: np.lib.stride_tricks.sliding_window_view(x, 7).mean(-1), (300,), 7, 70),
    "finite differences": (lambda x: np.diff(x, 2) ** 2, (150,), 3, 60),
    "two axes": (correlate_2d, (20, 24), 9, 100),
    "each row on its own": (lambda x: np.diff(x, axis=1) ** 2, (6, 40), 2, 60),
    "channels mix, places do not": (lambda x: np.tanh(np.einsum("ic,cd->id", x, np.eye(3) + 0.5)), (90, 3), 3, 60),
    "table look-up": (lambda x: np.sin(x[TABLE]), (40, 5), 1, 50),
    "permutation": (lambda x: np.sin(x[ORDER]), (128,), 1, 50),
    "sums of segments": (lambda x: (x * x).reshape(-1, 8).sum(1), (240,), 8, 60),
}


@pytest.mark.parametrize("name", LOCAL)
def test_the_pattern_is_found(name):
    function, shape, colours, evaluations = LOCAL[name]
    x = RNG.standard_normal(shape)

    layout, evaluate = find(function, x)

    assert layout is not None
    assert layout.kind == "coloured"
    assert int(layout.colours.max()) + 1 <= 1.5 * colours
    assert layout.evaluations == evaluate.count - 1 <= evaluations
    found, true = pattern(layout, np.size(function(x))), true_pattern(function, x)
    assert np.array_equal(found, true)
    for number in range(int(layout.colours.max()) + 1):
        assert found[:, layout.colours == number].sum(axis=1).max() <= 1


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        pytest.param(lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(), (300,), id="softmax"),
        pytest.param(lambda x: x @ np.ones((30, 30)), (10, 30), id="matrix"),
        pytest.param(np.cumsum, (300,), id="cumulative"),
        pytest.param(np.sort, (300,), id="sorted"),
        pytest.param(lambda x: np.asarray((x * x).sum()), (300,), id="scalar"),
        pytest.param(lambda x: np.diff(x) + 1e-9 * x.mean(), (300,), id="local but for a small leak"),
    ],
)
def test_what_is_not_local_costs_little(function, shape):
    layout, evaluate = find(function, RNG.standard_normal(shape), most=20)

    assert layout is None
    assert evaluate.count <= 24


def test_chance_is_not_local():
    rng = np.random.default_rng(3)

    assert find(lambda x: np.diff(x) + 1e-3 * rng.standard_normal(x.size - 1), RNG.standard_normal(200))[0] is None


def test_colours_are_few_and_keep_rows_apart():
    columns, rows = np.array([0, 0, 1, 1, 2, 2, 4]), np.array([0, 1, 1, 2, 2, 3, 0])

    found = colour(columns, rows, 5, 4)

    assert found.tolist() == [0, 1, 0, 0, 1]


def measure(function, x, layout, claim=None, spoil=None):
    flat = Evaluator(lambda z: np.ravel(function(z)))
    weights = np.random.default_rng(1).standard_normal(np.size(function(x)))
    if claim is None:
        whole = survey(flat, x, weights, Layout.whole(x.size, weights.size), np.random.default_rng(2), DOUBLE)
        claim = examine(flat, whole, None).value
    if spoil is not None:
        claim = spoil(claim.copy())
    flat.count = 0
    around = survey(flat, x, weights, layout, np.random.default_rng(2), DOUBLE)
    return flat, examine(flat, around, claim, keep_jacobian=True), claim


@pytest.mark.parametrize("name", LOCAL)
def test_what_is_measured_in_colours_is_what_is_measured_alone(name):
    function, shape, _, _ = LOCAL[name]
    x = RNG.standard_normal(shape)
    layout, _ = find(function, x)

    flat, found, claim = measure(function, x, layout)
    spent = flat.count
    verify(flat, found, claim, np.random.default_rng(3))

    assert np.all(found.status <= PASS + 1)
    assert spent <= 4 * (int(layout.colours.max()) + 1) + 70
    step = 1e-6
    y = [np.ravel(function(x + step * np.eye(x.size)[i].reshape(shape))) for i in range(x.size)]
    down = [np.ravel(function(x - step * np.eye(x.size)[i].reshape(shape))) for i in range(x.size)]
    dense = (np.array(y) - np.array(down)).T / (2 * step)
    assert found.jacobian == pytest.approx(dense, abs=1e-7 * np.abs(dense).max())


def test_a_wrong_entry_is_wrong_where_it_is():
    x = RNG.standard_normal(300)
    layout, _ = find(convolve, x)

    def spoil(claim):
        claim[137] *= 1.001
        return claim

    flat, found, claim = measure(convolve, x, layout, spoil=spoil)
    verify(flat, found, claim, np.random.default_rng(3))

    assert np.flatnonzero(found.status == FAIL).tolist() == [137]


def test_a_missed_dependency_shows_where_no_other_input_could_explain_it():
    x = RNG.standard_normal(300)
    layout, _ = find(convolve, x)
    reached = layout.outputs.copy()
    reached[102][reached[102] == 100] = 296  # stands for none
    blind = Layout(layout.inputs, reached, "coloured", (), 0.0, 0, layout.colours)

    with pytest.raises(NotLocalError) as caught:
        measure(convolve, x, blind)

    assert caught.value.layout is blind
    assert set(caught.value.missed) == {(100, 102)}
    mended = extend(blind, caught.value.missed, 296)
    assert mended is not None
    assert np.array_equal(pattern(mended, 296), pattern(layout, 296))
    assert np.array_equal(mended.colours, layout.colours)


def test_many_outputs_astray_are_not_looked_into():
    x = RNG.standard_normal(300)
    layout, _ = find(convolve, x)
    evaluate = Evaluator(convolve)
    around = survey(evaluate, x, np.ones(296), layout, np.random.default_rng(2), DOUBLE)
    blind = Layout(layout.inputs, np.full(layout.outputs.shape, 296), "coloured", (), 0.0, 0, layout.colours)

    with pytest.raises(NotLocalError) as caught:
        examine(evaluate, replace(around, layout=blind), np.zeros(300))

    assert caught.value.layout is None


@pytest.mark.parametrize("size", [1e-2, 1e-5])
def test_a_missed_dependency_shows_where_another_input_lends_its_name(size):
    """Output 100 sees an input 75 places away as well, of the colour of one that it is known to see."""

    def far(x):
        y = convolve(x)
        y[100] += size * np.sin(x[25])
        return y

    x = RNG.standard_normal(300)
    blind, _ = find(convolve, x)
    assert np.array_equal(blind.colours, np.arange(300) % 5)

    # a claim that has the same gap: as far as the entries go, all is well
    flat, found, _ = measure(far, x, blind, claim=np.zeros(300))
    flat, found, claim = measure(far, x, blind, claim=found.value)
    assert np.all(found.status <= PASS + 1)

    with pytest.raises(NotLocalError):
        verify(flat, found, claim, np.random.default_rng(3))


def test_what_moves_alone_must_do_what_it_did_in_company():
    """A tie that the pattern knows one half of: along the directions it is a kink, and explained as one."""

    def ties(x):
        return np.maximum(x[0::2], x[1::2])

    x = np.repeat(RNG.standard_normal(40), 2)
    inputs = np.arange(80).reshape(-1, 1)
    reached = np.where(np.arange(80) % 2 == 0, np.arange(80) // 2, 40).reshape(-1, 1)
    blind = Layout(inputs, reached, "coloured", (), 0.0, 0, np.zeros(80, dtype=np.intp))
    weights = np.ones(40)
    second = np.tile([0.0, 1.0], 40)  # all of it to the second of the two: as right as all to the first
    flat = Evaluator(ties)

    around = survey(flat, x, weights, blind, np.random.default_rng(2), DOUBLE)
    found = examine(flat, around, second, keep_jacobian=True)

    with pytest.raises(NotLocalError):
        verify(flat, found, second, np.random.default_rng(3))


def test_rows_are_grouped_so_that_each_input_sees_one_of_them():
    x = RNG.standard_normal(120)
    layout, _ = find(convolve, x)

    groups = group_rows(layout, 116)

    assert 5 <= int(groups.max()) + 1 <= 7
    for number in range(int(groups.max()) + 1):
        assert pattern(layout, 116)[groups == number].sum(axis=0).max() == 1


def test_outputs_that_nothing_reaches_are_in_no_group():
    layout = Layout(
        np.arange(3).reshape(-1, 1), np.array([[0], [2], [4]]), "coloured", (), 0.0, 0, np.zeros(3, dtype=np.intp)
    )

    assert group_rows(layout, 4).tolist() == [0, -1, 0, -1]
    assert layout.gather_outputs(np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [[1.0], [3.0], [0.0]]
    assert not layout.ordered
