"""What a forward returned, as arrays."""

import numpy as np
import pytest

from gradcheck.errors import LayerError
from gradcheck.layers.outputs import collect, read_outputs, to_array

X = np.ones((2, 3))


@pytest.mark.parametrize(
    ("returned", "shapes"),
    [
        (X, [(2, 3)]),
        (2.5, [()]),
        (3, [()]),
        (True, [()]),
        (np.float32(1), [()]),
        (np.array(1.0), [()]),
        (np.zeros((0, 2)), [(0, 2)]),
        ([1.0, 2.0], [(2,)]),
        ([[1.0, 2.0], [3.0, 4.0]], [(2, 2)]),
        ([np.float64(1), np.float64(2)], [(2,)]),
        ([X, X], [(2, 3), (2, 3)]),
        ((X, 1.0), [(2, 3), ()]),
        ((1.0, 2.0), [(), ()]),
        ((X,), [(2, 3)]),
        ({"a": X, "b": 1.0}, [(2, 3), ()]),
        (np.ma.masked_array([1.0, 2.0]), [(2,)]),
        (1 + 2j, [()]),
    ],
)
def test_outputs_of_every_kind(returned, shapes):
    assert [part.shape for part in read_outputs(returned).arrays] == shapes
    assert all(type(part) is np.ndarray for part in read_outputs(returned).arrays)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "forward returned None, which is no array of numbers"),
        ("text", "forward returned a str, which is no array of numbers"),
        (np.array(["a"]), "forward returned an array of dtype <U1, which is no array of numbers"),
        (np.array([object()]), "forward returned an array of objects, which is no array of numbers"),
        ((X, None), "forward returned None as output 1, which is no array of numbers"),
        ({"loss": "high"}, "forward returned a str as output 'loss', which is no array of numbers"),
        ((), "forward returned an empty tuple"),
        ([], "forward returned an empty list"),
        ({}, "forward returned an empty dict"),
        ([[1.0], [2.0, 3.0]], "forward returned a list of 2 items, which is no array of numbers"),
        ({1.0}, "forward returned a set, which is no array of numbers"),
        (lambda: X, "forward returned a function, which is no array of numbers"),
    ],
    ids=range(12),
)
def test_what_is_no_array_is_an_error(returned, message):
    with pytest.raises(LayerError) as caught:
        read_outputs(returned)

    assert str(caught.value) == message


def test_collected_as_they_were_returned():
    assert collect([X], read_outputs(X)) is X
    assert collect([X, X], read_outputs((X, X))) == (X, X)
    assert list(collect([X, 1], read_outputs({"a": X, "b": X}))) == ["a", "b"]
    assert collect([X, X], None) == (X, X)


def test_arrays_are_not_copied():
    assert to_array(X) is X
    assert read_outputs((X, X)).arrays[0] is X


def test_a_sparse_matrix_is_an_array():
    class Sparse:
        def toarray(self):
            return X

    assert to_array(Sparse()) is X
