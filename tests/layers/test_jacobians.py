"""Backwards that return the Jacobian itself, in every layout, of the input or of the output."""

import numpy as np
import pytest

import gradcheck
from gradcheck.errors import BindingError, LayerError, UsageError
from gradcheck.layers.build import wrap
from gradcheck.layers.jacobians import multiply

from .tools import draw, is_right, pull


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def softmax_1d(x):
    return softmax(x)


def of_value(s):
    return np.diagflat(s) - np.outer(s, s)


def batched(x):
    s = softmax(x)
    return s[:, :, None] * np.eye(x.shape[1]) - s[:, :, None] * s[:, None, :]


def flat(x):
    blocks = batched(x)
    n, k, _ = blocks.shape
    whole = np.zeros((n, k, n, k))
    for row in range(n):
        whole[row, :, row] = blocks[row]
    return whole.reshape(n * k, n * k)


def full(x):
    return flat(x).reshape(x.shape + x.shape)


def coupled(x):
    y = softmax(x)
    return np.diag(y.ravel()) - np.outer(y, y)


@pytest.mark.parametrize("jacobian", [batched, flat, full])
@pytest.mark.parametrize("shape", [(4, 3), (3, 3), (1, 3), (2, 1)])
def test_layouts(jacobian, shape):
    assert is_right(wrap(softmax, jacobian, returns="jacobian"), {"x": draw(*shape)})


def test_negative_control():
    layer = wrap(softmax, coupled, returns="jacobian")

    assert not is_right(layer, {"x": draw(4, 2)})
    assert is_right(layer, {"x": draw(1, 3)})


@pytest.mark.parametrize("name", ["s", "softmax_1d", "y", "probs"])
def test_function_of_the_output_value_by_the_name_of_its_argument(name):
    space = {"of_value": of_value}
    exec(f"def jacobian({name}): return of_value({name})", space)

    assert is_right(wrap(softmax_1d, space["jacobian"], returns="jacobian"), {"x": draw(4)})
    assert is_right(wrap(softmax_1d, space["jacobian"], returns="jacobian"), {"x": draw(1, 4)})


def test_function_of_the_output_value_by_word():
    layer = wrap(softmax_1d, of_value, bind={"s": "output"}, returns="jacobian")
    wrong = wrap(softmax_1d, of_value, bind={"s": "input:x"}, returns="jacobian")

    assert is_right(layer, {"x": draw(4)})
    assert not is_right(wrong, {"x": draw(4)})


@pytest.mark.parametrize(("shape", "axis"), [((4, 3), 1), ((4, 3), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((5,), 0)])
def test_function_of_one_slice(shape, axis):
    layer = wrap(softmax, of_value, bind={"s": "output-slice"}, returns="jacobian")
    by_input = wrap(softmax, lambda x: of_value(softmax(x)), bind={"backward.x": "input-slice:x"}, returns="jacobian")

    assert is_right(layer, {"x": draw(*shape)}, {"axis": axis})
    assert is_right(by_input, {"x": draw(*shape)}, {"axis": axis})


def test_slices_that_do_not_fit_together():
    ragged = iter([np.eye(3), np.eye(2), np.eye(3), np.eye(3)])
    layer = wrap(softmax, lambda s: next(ragged), bind={"s": "output-slice"}, returns="jacobian")

    with pytest.raises(
        LayerError, match=r"^the backward returned no arrays of one shape for the slices of its argument$"
    ):
        pull(layer, {"x": draw(4, 3)})
    with pytest.raises(UsageError, match=r"^only Jacobians are put together from slices"):
        wrap(softmax, lambda g, s: g, bind={"s": "output-slice"})


def test_along_another_axis_and_one_block_for_all():
    matrix = draw(3, 2)

    assert is_right(wrap(lambda x: x @ matrix, lambda x: matrix.T, returns="jacobian"), {"x": draw(4, 3)})
    assert is_right(
        wrap(lambda x, axis: matrix.T @ x, lambda x, axis: matrix.T, returns="jacobian"), {"x": draw(3, 5)}, {"axis": 0}
    )


def test_scalars():
    assert is_right(wrap(lambda x: (x**2).sum(), lambda x: 2 * x, returns="jacobian"), {"x": draw(2, 3)})
    assert is_right(wrap(lambda x: (x**2).sum(), lambda x: 2 * x.reshape(1, -1), returns="jacobian"), {"x": draw(3)})
    assert is_right(wrap(lambda x: x * np.arange(3.0), lambda x: np.arange(3.0), returns="jacobian"), {"x": draw()})


def test_several_inputs_and_outputs():
    def product(a, b):
        return a * b

    layer = wrap(product, lambda a, b: (np.diag(b), np.diag(a)), returns="jacobian")
    named = wrap(product, lambda a, b: {"db": np.diag(a), "da": np.diag(b)}, returns="jacobian")
    two = wrap(lambda x: (x, x**2), lambda x: [np.eye(3), np.diag(2 * x)], returns="jacobian")

    assert is_right(layer, {"a": draw(3), "b": draw(3, seed=2)})
    assert is_right(named, {"a": draw(3), "b": draw(3, seed=2)})
    assert is_right(two, {"x": draw(3)})


def test_nested_lists():
    assert is_right(wrap(softmax_1d, lambda s: of_value(s).tolist(), returns="jacobian"), {"x": draw(3)})


def test_what_fits_no_layout_is_said():
    _, _, found = pull(wrap(softmax, lambda x: np.eye(5), returns="jacobian"), {"x": draw(4, 3)})

    assert found.by_input == {}
    assert [(item.rule, item.wrt, item.message) for item in found.mismatches] == [
        (
            "wrong-shape",
            "x",
            "the backward returned an array of shape (5, 5) as the Jacobian of an output (4, 3) "
            "with respect to x (4, 3)",
        )
    ]


def test_one_jacobian_for_two_outputs_is_said():
    _, _, found = pull(wrap(lambda x: (x, x), lambda x: np.eye(3), returns="jacobian"), {"x": draw(3)})

    assert [item.message for item in found.mismatches] == [
        "the backward returned an array of shape (3, 3) instead of 2 Jacobians, one per output"
    ]


def test_an_argument_that_could_be_either():
    def of(z):
        return z

    with pytest.raises(BindingError, match=r"the argument z of `of` could be the input 'x' or the output"):
        wrap(softmax, of, returns="jacobian")


def test_multiply_with_another_number_of_rows():
    jacobian = draw(2, 5, 3)

    assert np.allclose(multiply(jacobian, np.ones((2, 5)), (2, 3)), jacobian.sum(1))
    assert multiply(jacobian, np.ones((2, 4)), (2, 3)) is None
    assert multiply(draw(2, 2), np.array(1.0), (3,)) is None


TWO = np.array([0.3, -1.2, 0.7])


@pytest.mark.parametrize(
    ("spoil", "rule", "remedy"),
    [
        (lambda jacobian: jacobian.T, "transposed-jacobian", "return its transpose"),
        (lambda jacobian: jacobian[:, :2], "wrong-shape", "return it in the shape (2, 3)"),
    ],
)
def test_a_jacobian_that_fits_nowhere_is_not_called_missing(spoil, rule, remedy):
    report = gradcheck.check(
        lambda v: np.array([v.sum(), (v**2).sum()]),
        lambda v: spoil(np.stack([np.ones(3), 2 * v])),
        {"v": TWO},
        returns="jacobian",
    )

    assert [finding.rule for finding in report.findings] == [rule]
    assert report.findings[0].remedy.startswith(remedy)
