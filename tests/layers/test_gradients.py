"""What a backward returned, matched to the inputs by position or by key; what does not match is said."""

from collections import namedtuple
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.layers.derivative import read_derivatives, read_gradients
from gradcheck.layers.gradients import Order, gradient_names, match
from gradcheck.layers.jacobians import read_jacobians

X, W, B = np.ones((4, 3)), np.ones((3, 2)), np.ones(2)
VALUES = {"x": X, "W": W, "b": B, "labels": np.arange(4)}


def matched(returned, wrt=("x",), orders=(), values=VALUES, aliases=None):
    found = match(returned, Order(tuple(wrt), tuple(orders), aliases), values)
    return found, [(item.rule, item.wrt, item.message) for item in found.mismatches]


@pytest.mark.parametrize(
    "returned",
    [
        X,
        (X,),
        [X],
        {"x": X},
        {"dx": X},
        {"d_x": X},
        {"grad_x": X},
        {"x_grad": X},
        {"gradX": X},
        X.tolist(),
        [X.tolist()],
        (X, None),
        (X, None, None),
    ],
)
def test_one_gradient(returned):
    found, mismatches = matched(returned)

    assert mismatches == []
    assert np.array_equal(found.by_input["x"], X)


@pytest.mark.parametrize("kind", [tuple, list])
def test_several_by_position(kind):
    found, mismatches = matched(kind([X, W, B]), ("x", "W", "b"))

    assert mismatches == []
    assert [found.by_input[name] is value for name, value in (("x", X), ("W", W), ("b", B))] == [True] * 3


def test_one_entry_per_input_or_argument():
    orders = [("x", "labels", "b"), ("x", "axis", "labels", "eps", "b")]

    for returned in ((X, None, B), (X, None, None, None, B), [X, None, B]):
        found, mismatches = matched(returned, ("x", "b"), orders)
        assert mismatches == []
        assert list(found.by_input) == ["x", "b"]
        assert found.by_input["b"] is B


def test_order_of_wrt_comes_before_order_of_inputs():
    found, _ = matched((B, X), ("b", "x"), [("x", "b")])

    assert found.by_input["b"] is B


def test_named_tuples_and_dicts_in_any_order():
    Named = namedtuple("Named", ["db", "dx"])
    Plain = namedtuple("Plain", ["first", "second"])

    assert matched(Named(B, X), ("x", "b"))[0].by_input["x"] is X
    assert matched(Plain(X, B), ("x", "b"))[0].by_input["x"] is X
    assert matched({"b": B, "x": X, "other": 3}, ("x", "b"))[0].by_input["x"] is X


def test_keys_by_the_name_that_the_author_uses():
    found, mismatches = matched({"darr": X}, ("x",), aliases={"x": "arr"})

    assert mismatches == []
    assert found.by_input["x"] is X


def test_a_stack_of_gradients():
    values = {"p": np.ones((2, 2)), "q": np.ones((2, 2))}
    found, mismatches = matched(np.stack([np.zeros((2, 2)), np.ones((2, 2))]), ("p", "q"), values=values)

    assert mismatches == []
    assert found.by_input["q"].sum() == 4


@pytest.mark.parametrize(
    ("value", "shape", "returned"),
    [
        (np.array(1.0), (), 2),
        (np.array(1.0), (), 2.0),
        (np.array(1.0), (), np.float32(2)),
        (np.array(1.0), (), (2.0,)),
        (np.ones(3), (3,), [1.0, 2.0, 3.0]),
        (np.ones(3), (3,), (1.0, 2.0, 3.0)),
        (np.ones(1), (1,), [2.0]),
        (np.ones((1, 3)), (1, 3), [[1.0, 2.0, 3.0]]),
        (np.ones((0, 3)), (0, 3), np.ones((0, 3))),
        (np.ones(2), (2,), np.array([Fraction(1, 2), Fraction(1, 3)], dtype=object)),
        (np.ones(2), (2,), np.array([True, False])),
    ],
)
def test_numbers_lists_and_empty_arrays(value, shape, returned):
    found, mismatches = matched(returned, ("x",), values={"x": value})

    assert mismatches == []
    assert found.by_input["x"].shape == shape


def test_shape_and_dtype_are_not_mended():
    found, mismatches = matched(np.ones((4, 1), dtype=np.float16))

    assert mismatches == []
    assert found.by_input["x"].shape == (4, 1)
    assert found.by_input["x"].dtype == np.float16


class Hostile:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no")


SAID = [
    (None, ("x",), [("missing-input-gradient", "x", "the backward returned None as the gradient of x")]),
    ((None,), ("x",), [("missing-input-gradient", "x", "the backward returned None as the gradient of x")]),
    (
        (X, None),
        ("x", "W"),
        [("missing-input-gradient", "W", "the backward returned None as the gradient of W")],
    ),
    (
        (X,),
        ("x", "W"),
        [
            ("wrong-number-of-gradients", None, "the backward returned 1 gradient instead of 2 gradients (x, W)"),
            ("missing-input-gradient", "W", "the backward returned no gradient of W"),
        ],
    ),
    (
        (X, W, B),
        ("x",),
        [("wrong-number-of-gradients", None, "the backward returned 3 gradients instead of 1 gradient (x)")],
    ),
    (
        (),
        ("x",),
        [
            ("wrong-number-of-gradients", None, "the backward returned 0 gradients instead of 1 gradient (x)"),
            ("missing-input-gradient", "x", "the backward returned no gradient of x"),
        ],
    ),
    (
        X,
        ("x", "W"),
        [
            (
                "wrong-number-of-gradients",
                None,
                "the backward returned an array of shape (4, 3) instead of 2 gradients (x, W)",
            ),
            ("missing-input-gradient", "W", "the backward returned no gradient of W"),
        ],
    ),
    (
        {"dx": X, "dV": W},
        ("x", "W"),
        [
            (
                "missing-input-gradient",
                "W",
                "the backward returned no gradient of W; its dict holds dx, dV",
            )
        ],
    ),
    ({}, ("x",), [("missing-input-gradient", "x", "the backward returned no gradient of x; its dict holds nothing")]),
    ("text", ("x",), [("not-an-array", "x", "the backward returned a str as the gradient of x, which is no array")]),
    (
        np.array(["a"]),
        ("x",),
        [("not-an-array", "x", "the backward returned an array of dtype <U1 as the gradient of x, which is no array")],
    ),
    (
        np.array([None, {}]),
        ("x",),
        [("not-an-array", "x", "the backward returned an array of objects as the gradient of x, which is no array")],
    ),
    (
        Hostile(),
        ("x",),
        [("not-an-array", "x", "the backward returned a Hostile as the gradient of x, which is no array")],
    ),
    (
        (X, object()),
        ("x", "W"),
        [("not-an-array", "W", "the backward returned an object as the gradient of W, which is no array")],
    ),
    (
        [[1.0, 2.0], [3.0]],
        ("x",),
        [
            ("wrong-number-of-gradients", None, "the backward returned 2 gradients instead of 1 gradient (x)"),
        ],
    ),
    (
        (item for item in [X]),
        ("x",),
        [("not-an-array", "x", "the backward returned a generator as the gradient of x, which is no array")],
    ),
]


@pytest.mark.parametrize(("returned", "wrt", "expected"), SAID, ids=[str(item[2][0][2]) for item in SAID])
def test_what_does_not_match_is_said(returned, wrt, expected):
    assert matched(returned, wrt)[1] == expected


def test_names_of_gradients():
    assert {"dW", "d_W", "grad_W", "W_grad", "dL_dW"} <= set(gradient_names("W"))


def test_options_have_no_gradient():
    found, mismatches = matched((X, B), ("x",), [("x", "axis")])

    assert mismatches == [
        ("wrong-number-of-gradients", None, "the backward returned 2 gradients instead of 1 gradient (x)")
    ]
    assert found.by_input["x"] is X


ANYTHING = st.recursive(
    st.none()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.booleans()
    | st.sampled_from([X, W, B, np.array(1.0), np.zeros((0, 2)), np.array(["a"]), np.array([None]), object()]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from(["x", "dx", "W", "grad_b", 3]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, derandomize=True)
@given(ANYTHING, st.sampled_from([("x",), ("x", "W"), ("x", "W", "b"), ()]))
def test_nothing_that_is_returned_is_a_crash(returned, wrt):
    order = Order(wrt, (("x", "labels", "W", "b"), ("x", "W", "b", "axis")))
    g = np.ones((4, 3))

    for found in (
        match(returned, order, VALUES),
        read_jacobians(returned, order, VALUES, [g]),
        read_jacobians(returned, order, VALUES, [g, g]),
        read_derivatives(returned, order, VALUES, [g]),
        read_gradients(returned, order, VALUES, [np.array(1.0)]),
        read_gradients(returned, order, VALUES, [np.ones(4)]),
    ):
        assert set(found.by_input) <= set(wrt)
        assert all(isinstance(value, np.ndarray) for value in found.by_input.values())
        missing = set(wrt) - set(found.by_input)
        assert not missing or found.mismatches
