"""The machinery that the rules share: views, anatomy, paths, factors, fields, orders."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.rules.anatomy import complete
from gradcheck.rules.factors import named, plain
from gradcheck.rules.fields import Field, match
from gradcheck.rules.functions import equals
from gradcheck.rules.order import is_permutation, transpositions
from gradcheck.rules.paths import splits
from gradcheck.rules.predictions import Prediction, distance, residual
from gradcheck.rules.ratios import by_column, by_row, changes, constant, observe
from gradcheck.rules.terms import linear_fractional, quotients
from gradcheck.rules.view import View, components, distinct
from gradcheck.rules.windows import shifted

from .stand import Stand


def random(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def view(forward, inputs, backward=None, options=None, name=None):
    name = name or next(iter(inputs))
    stand = Stand(forward, backward, inputs, (name,), options)
    return View(stand.truth(), stand.account() if backward else None, name)


# ---------------------------------------------------------------------------------------------------------------
# distances and views


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1.0, 0.0], [1.0, 0.0], 0.0),
        ([1.0, 0.0], [0.0, 0.0], 1.0),
        ([1.0], [-1.0], 2.0),
        ([0.0], [0.0], 0.0),
        ([1e300, 0.0], [0.0, 1e300], 2**0.5),
        ([np.nan], [1.0], np.inf),
    ],
)
def test_distance(first, second, expected) -> None:
    assert distance(np.array(first), np.array(second)) == pytest.approx(expected)


def test_distance_of_different_shapes_is_infinite() -> None:
    assert distance(np.zeros(2), np.zeros(3)) == np.inf


def test_components_are_the_connected_blocks() -> None:
    linked = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=bool)

    found = [(rows.tolist(), columns.tolist()) for rows, columns in components(linked)]

    assert found == [([0, 1], [0, 1]), ([2], [3])]


def test_a_view_knows_what_is_coupled() -> None:
    seen = view(softmax, {"x": random(2, 3)})

    assert seen.coupled
    assert seen.axes == (1,)
    assert len(seen.blocks) == 2
    assert not view(np.tanh, {"x": random(2, 3)}).coupled


def test_distinct_counts_near_values_as_one() -> None:
    assert distinct(np.array([1.0, 1.0 + 1e-9, 0.2]), 1e-6).tolist() == [0.2, 1.0]


def test_a_prediction_is_compared_on_the_whole_jacobian() -> None:
    hidden = view(softmax, {"x": random(2, 3)}, lambda g, x: (g * softmax(x),))
    right = Prediction("", "", jacobian=np.diag(hidden.y))

    assert residual(hidden, right) < 1e-9
    assert residual(hidden, Prediction("", "", jacobian=hidden.J)) > 0.1
    assert residual(hidden, Prediction("", "", respond=lambda g: g * hidden.y)) < 1e-9


# ---------------------------------------------------------------------------------------------------------------
# anatomy and paths


def test_the_anatomy_of_softmax_is_a_diagonal_and_one_outer_product() -> None:
    seen = view(softmax, {"x": random(2, 4)})

    shape = seen.anatomy

    assert shape is not None
    assert [term.label for term in shape.terms] == ["y"]
    np.testing.assert_allclose(shape.d, seen.y, atol=1e-8)
    np.testing.assert_allclose(shape.compose(), seen.J, atol=1e-8)


def test_the_anatomy_of_layer_norm_has_a_mean_and_a_variance() -> None:
    def forward(x, w):
        return w * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)

    seen = view(forward, {"x": random(2, 5), "w": 1 + random(5) ** 2})

    assert [term.label for term in seen.anatomy.terms] == ["one", "centred x"]
    kinds = [{path.kind for path in split.paths} for split in splits(seen)]
    assert {"direct", "mean", "variance"} in kinds


def test_an_elementwise_layer_has_no_anatomy() -> None:
    assert view(np.tanh, {"x": random(2, 4)}).anatomy is None


def test_one_unknown_outer_product_is_completed() -> None:
    p, q = random(5), random(6)[1:]
    block = np.outer(p, q) + np.diag(random(5))

    u, v = complete(block)

    np.testing.assert_allclose(np.outer(u, v), np.outer(p, q), atol=1e-10)
    assert complete(random(5, 5)) is None


def test_paths_say_how_much_was_kept() -> None:
    def backward(g, x):
        s = softmax(x)
        return (s * (g - 0.3 * (g * s).sum(-1, keepdims=True)),)

    split = splits(view(softmax, {"x": random(2, 4)}, backward))[0]

    assert [path.kind for path in split.paths] == ["direct", "sum"]
    np.testing.assert_allclose(split.kept, [1.0, 0.3], atol=1e-6)
    assert split.without("mean") is None


def test_a_linear_fractional_layer_is_split_into_top_and_bottom() -> None:
    seen = view(lambda x: (x * np.arange(4.0)).sum(1) / x.sum(1), {"x": 1 + random(3, 4) ** 2})

    top, bottom = linear_fractional(seen)

    np.testing.assert_allclose(top + bottom, seen.J, atol=1e-7)
    assert linear_fractional(view(softmax, {"x": random(2, 3)})) is None


def test_a_quotient_of_known_functions_is_recognised() -> None:
    found = {(top.label, bottom.label) for top, bottom, *_ in quotients(view(np.tanh, {"x": random(5)}))}

    assert ("sinh(x)", "cosh(x)") in found


# ---------------------------------------------------------------------------------------------------------------
# ratios and the names of numbers


def test_ratios_are_constant_per_column_or_per_row() -> None:
    factors = np.array([1.0, 2.0, 4.0])
    columns = view(lambda x: x @ np.ones((3, 2)), {"x": random(2, 3)}, lambda g, x: (g @ np.ones((2, 3)) * factors,))
    rows = view(lambda x: x.sum(1), {"x": random(3, 2)}, lambda g, x: (np.repeat((g * factors)[:, None], 2, 1),))

    np.testing.assert_allclose(by_column(columns), [1, 2, 4, 1, 2, 4], atol=1e-6)
    assert by_row(columns) is None
    np.testing.assert_allclose(by_row(rows), factors, atol=1e-6)
    assert constant(rows) is None


def test_a_number_has_every_name_that_fits() -> None:
    seen = view(lambda x, scale: scale * x.mean(0), {"x": random(4, 3)}, options={"scale": 0.25})

    kinds = {factor.kind for factor in named(seen, 4.0)}

    assert {"samples", "option"} <= kinds
    assert named(seen, 1.0) == []
    assert named(seen, 1.23456) == []


def test_a_changed_case_tells_names_apart() -> None:
    def forward(x):
        return (x**2).mean(0)

    seen = view(forward, {"x": random(4, 3)}, lambda g, x: (2 * g * x,))

    ratios = {change.label: found[1] for change in changes(seen) if (found := observe(seen, change)) is not None}

    assert ratios["axis 0 of x twice as long"] == pytest.approx(8.0)
    assert ratios["axis -1 of x twice as long"] == pytest.approx(4.0)


@pytest.mark.parametrize(("value", "text"), [(0.25, "1/4"), (2 / 3, "2/3"), (2.0, "2"), (0.7, "0.7")])
def test_numbers_are_written_plainly(value, text) -> None:
    assert plain(value) == text


def test_a_field_is_matched_up_to_a_power_and_a_constant() -> None:
    values = np.array([1.0, 2.0, 5.0, 7.0])

    (found,) = match(3.0 / values**2, iter([Field("w", "weight", values)]))

    assert (found.power, found.constant) == (-2.0, pytest.approx(3.0))
    assert list(match(np.array([1.0, 2.0, 3.0, 5.0]), iter([Field("w", "weight", values)]))) == []
    assert list(match(np.ones(4), iter([Field("w", "weight", values)]))) == []


# ---------------------------------------------------------------------------------------------------------------
# orders


def test_a_permutation_is_recognised() -> None:
    assert is_permutation(np.eye(3)[[2, 0, 1]], 1e-6)
    assert not is_permutation(np.eye(3) * 2, 1e-6)
    assert not is_permutation(np.ones((2, 2)), 1e-6)


def test_transpositions_of_a_matrix_are_the_reshape_and_the_transpose() -> None:
    orders = [order.tolist() for _, order in transpositions((2, 3))]

    assert [0, 3, 1, 4, 2, 5] in orders
    assert [0, 2, 4, 1, 3, 5] in orders
    assert len(orders) == 2


def test_shifting_moves_zeros_in() -> None:
    assert shifted(np.array([1.0, 2.0, 3.0]), 0, 1).tolist() == [0.0, 1.0, 2.0]
    assert shifted(np.array([1.0, 2.0, 3.0]), 0, -2).tolist() == [3.0, 0.0, 0.0]
    assert shifted(np.array([1.0, 2.0, 3.0]), 0, 5).tolist() == [0.0, 0.0, 0.0]


VALUES = [0.0, -0.0, 1.0, 1.0 + 1e-9, 1.0 + 1e-7, 1e-13, 1e-11, 1e60, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("rtol", [0.0, 1e-8])
def test_near_arrays_are_equal_as_numpy_says(rtol) -> None:
    for one in VALUES:
        for other in VALUES:
            for rest in ([], [2.0], [np.nan]):
                first, second = np.array([one, *rest]), np.array([other, 2.0][: 1 + len(rest)])
                assert equals(first, second, rtol) == np.allclose(first, second, rtol=rtol, atol=1e-12)
    assert equals(np.zeros(0), np.zeros(0), rtol)
