import numpy as np
import pytest

from gradcheck.numeric.evaluate import Evaluator
from gradcheck.numeric.examine import examine
from gradcheck.numeric.layout import Layout, find_layout
from gradcheck.numeric.precision import DOUBLE
from gradcheck.numeric.survey import survey

RNG = np.random.default_rng(5)
MATRIX = RNG.standard_normal((7, 4))
ROWS = RNG.standard_normal((3, 7))


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def find(function, x):
    y = function(x)
    outputs = y if isinstance(y, tuple) else (y,)

    def flat(z):
        found = function(z)
        return np.concatenate([np.ravel(part) for part in (found if isinstance(found, tuple) else (found,))])

    evaluate = Evaluator(flat)
    rng = np.random.default_rng(0)
    return find_layout(evaluate, x, flat(x), [np.shape(part) for part in outputs], rng), evaluate


INDEPENDENT = {
    "softmax, last axis": (lambda x: softmax(x, -1), (6, 5), (0,), (6, 5), (6, 5)),
    "softmax, first axis": (lambda x: softmax(x, 0), (6, 5), (1,), (5, 6), (5, 6)),
    "softmax, middle axis": (lambda x: softmax(x, 1), (3, 5, 4), (0, 2), (12, 5), (12, 5)),
    "elementwise": (np.tanh, (3, 4), (0, 1), (12, 1), (12, 1)),
    "one axis, elementwise": (np.tanh, (9,), (0,), (9, 1), (9, 1)),
    "linear in x": (lambda x: x @ MATRIX, (5, 7), (0,), (5, 7), (5, 4)),
    "linear in the weights": (lambda w: ROWS @ w, (7, 4), (1,), (4, 7), (4, 3)),
    "bias": (lambda b: ROWS + b, (7,), (0,), (7, 1), (7, 3)),
    "row losses": (lambda x: (x * x).sum(1), (6, 5), (0,), (6, 5), (6, 1)),
    "row losses, kept axis": (lambda x: (x * x).sum(1, keepdims=True), (6, 5), (0,), (6, 5), (6, 1)),
    "transposed": (lambda x: softmax(x, 1).T, (6, 5), (0,), (6, 5), (6, 5)),
    "square, transposed": (lambda x: softmax(x, 1).T, (5, 5), (0,), (5, 5), (5, 5)),
    "two outputs": (lambda x: (softmax(x, 1), x.sum(1)), (6, 5), (0,), (6, 5), (6, 6)),
    "convolution of rows": (lambda x: x[:, 1:] - 2 * x[:, :-1], (4, 6), (0,), (4, 6), (4, 5)),
}


@pytest.mark.parametrize("name", INDEPENDENT)
def test_independent_slices_are_found(name):
    function, shape, axes, inputs, outputs = INDEPENDENT[name]

    layout, _ = find(function, RNG.standard_normal(shape))

    assert layout is not None
    assert (layout.axes, layout.inputs.shape, layout.outputs.shape) == (axes, inputs, outputs)
    assert sorted(layout.inputs.ravel()) == list(range(int(np.prod(shape))))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: softmax(x, None),
        lambda x: softmax(x, -1) + 1e-6 * x.mean(),
        lambda x: np.tanh(np.roll(softmax(x, 1), 1, 0)),
        lambda x: x / np.linalg.norm(x),
        lambda x: np.asarray((x * x).sum()),
        lambda x: (softmax(x, 1), np.asarray(x.sum())),
        lambda x: softmax(x, 1) - softmax(x, 1).max(0),
    ],
    ids=["flattened", "small leak", "rolled", "global norm", "scalar", "scalar beside", "max of batch"],
)
def test_dependent_slices_are_refused(function):
    layout, _ = find(function, RNG.standard_normal((6, 5)))

    assert layout is None


def test_a_dependent_axis_costs_little():
    _, evaluate = find(lambda x: x / np.linalg.norm(x), RNG.standard_normal((64, 64)))

    assert evaluate.count <= 4


def test_roundings_are_accepted_and_remembered():
    def summed_anew(x):
        return softmax(x, 1) * (1 + 2.0**-52 * (x.sum() > 0))

    x = np.abs(RNG.standard_normal((8, 3)))
    x[0] *= -3
    layout, _ = find(summed_anew, x)

    assert layout is not None
    assert 0 <= layout.leak <= 8 * 2.0**-52


def test_shapes_that_do_not_add_up_find_nothing():
    assert find_layout(np.tanh, np.ones(3), np.ones(3), [(2,)], np.random.default_rng(0)) is None


def test_gather_and_scatter_are_inverse():
    layout, _ = find(lambda x: softmax(x, 1), RNG.standard_normal((3, 5, 4)))
    assert layout is not None
    x = RNG.standard_normal((3, 5, 4))

    assert np.array_equal(layout.scatter_inputs(layout.gather_inputs(x), x.shape), x)


def test_whole_is_one_slice():
    layout = Layout.whole(4, 3)

    assert (layout.slices, layout.width, layout.size, layout.outputs.shape) == (1, 4, 4, (1, 3))


@pytest.mark.parametrize(("shape", "axis"), [((64, 20), 1), ((20, 64), 0), ((8, 32, 10), 2)])
def test_cost_of_slices(shape, axis):
    x = RNG.standard_normal(shape)
    evaluate = Evaluator(lambda z: softmax(z, axis).ravel())
    rng = np.random.default_rng(0)
    y0 = evaluate(x)
    layout = find_layout(evaluate, x, y0, [shape], rng)
    assert layout is not None
    g = RNG.standard_normal(shape)
    y = softmax(x, axis)
    claim = y * (g - (g * y).sum(axis, keepdims=True))

    stage = survey(evaluate, x, g.ravel(), layout, rng, DOUBLE)
    found = examine(evaluate, stage, claim)

    assert found.status is not None
    assert found.status.max() <= 1
    assert evaluate.count <= 2.2 * shape[axis] + 4 * np.ceil(np.log2(layout.slices)) + 80


def test_slices_that_do_not_hold_are_given_up():
    rows = RNG.standard_normal((4, 3))
    wrong = Layout(np.arange(12).reshape(4, 3), np.arange(12).reshape(4, 3), "slices", (0,))

    stage = survey(lambda x: (x * x.sum()).ravel(), rows, np.ones(12), wrong, np.random.default_rng(0), DOUBLE)

    assert stage.layout.kind == "whole"
