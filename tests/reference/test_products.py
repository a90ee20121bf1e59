"""Linear and attention."""

import numpy as np
import pytest

from gradcheck.reference.attention import attention, attention_backward
from gradcheck.reference.linear import linear, linear_backward

RNG = np.random.default_rng(0)
QUERY, KEY, VALUE = RNG.normal(size=(3, 4)), RNG.normal(size=(5, 4)), RNG.normal(size=(5, 6))


def attend_by_loops(query, key, value, allowed, scale):
    output = np.zeros((len(query), value.shape[1]))
    for i, q in enumerate(query):
        powers = [np.exp(scale * np.sum(q * k)) if allowed[i, j] else 0.0 for j, k in enumerate(key)]
        for j, v in enumerate(value):
            output[i] += powers[j] / (sum(powers) or 1) * v
    return output


def test_linear_by_hand():
    x, weight, bias = [[1.0, 2.0], [0.0, -1.0]], [[1.0, 0.0, 3.0], [2.0, 1.0, 0.0]], [10.0, 20.0, 30.0]
    upstream = [[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]]

    assert linear(x, weight, bias).tolist() == [[15, 22, 33], [8, 19, 30]]
    dx, dweight, dbias = linear_backward(upstream, x, weight, bias)
    assert dx.tolist() == [[4, 2], [0, 2]]
    assert dweight.tolist() == [[1, 0, 1], [2, -2, 2]]
    assert dbias.tolist() == [1, 2, 1]


@pytest.mark.parametrize("leading", [(0,), (2, 0), ()])
@pytest.mark.parametrize(("inner", "outer"), [(4, 3), (0, 3), (4, 0)])
def test_linear_of_nothing(leading, inner, outer):
    x, weight, bias = np.ones((*leading, inner)), np.ones((inner, outer)), np.ones(outer)
    output = linear(x, weight, bias)

    assert output.shape == (*leading, outer)
    gradients = linear_backward(np.ones(output.shape), x, weight, bias)
    assert [gradient.shape for gradient in gradients] == [x.shape, weight.shape, bias.shape]


@pytest.mark.parametrize(
    ("x", "weight", "bias"), [((2, 3), (4, 3), (3,)), ((2, 3), (3, 4), (3,)), ((), (1, 4), (4,)), ((3,), (3,), ())]
)
def test_linear_of_shapes_that_do_not_fit(x, weight, bias):
    with pytest.raises(ValueError, match="do not fit: they are"):
        linear(np.ones(x), np.ones(weight), np.ones(bias))
    with pytest.raises(ValueError, match="do not fit: they are"):
        linear_backward(np.ones(x), np.ones(x), np.ones(weight), np.ones(bias))


def test_attention_by_loops():
    everything = np.ones((3, 5))
    np.testing.assert_allclose(
        attention(QUERY, KEY, VALUE), attend_by_loops(QUERY, KEY, VALUE, everything, 0.5), rtol=1e-13
    )
    np.testing.assert_allclose(
        attention(QUERY, KEY, VALUE, scale=2.0), attend_by_loops(QUERY, KEY, VALUE, everything, 2.0), rtol=1e-13
    )
    assert not np.allclose(attention(QUERY, KEY, VALUE, scale=2.0), attention(QUERY, KEY, VALUE))


def test_masks_by_loops():
    mask = np.array([[1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [0, 1, 1, 1, 0]])
    past = np.tri(3, 5)
    for arguments, allowed in (
        ({"mask": mask}, mask),
        ({"causal": True}, past),
        ({"mask": mask, "causal": True}, mask * past),
    ):
        output = attention(QUERY, KEY, VALUE, **arguments)

        np.testing.assert_allclose(output, attend_by_loops(QUERY, KEY, VALUE, allowed, 0.5), rtol=1e-13)
        assert not np.allclose(output, attention(QUERY, KEY, VALUE))
    assert np.all(attention(QUERY, KEY, VALUE, mask)[1] == 0)


def test_what_is_masked_has_no_gradient():
    mask = np.ones((3, 5))
    mask[:, 2], mask[1] = 0, 0
    dquery, dkey, dvalue = attention_backward(np.ones((3, 6)), QUERY, KEY, VALUE, mask)

    assert np.all(dkey[2] == 0)
    assert np.all(dvalue[2] == 0)
    assert np.all(dquery[1] == 0)
    assert np.all(dkey[[0, 1, 3, 4]] != 0)
    assert np.all(np.any(dquery[[0, 2]] != 0, axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_inputs_are_finite(dtype):
    query, key, value = ((1000 * array).astype(dtype) for array in (QUERY, KEY, VALUE))
    for mask in (None, np.tri(3, 5, -1)):
        output = attention(query, key, value, mask)

        assert np.all(np.isfinite(output))
        assert all(np.all(np.isfinite(g)) for g in attention_backward(np.ones((3, 6)), query, key, value, mask))


@pytest.mark.parametrize("empty", ["batch", "queries", "keys", "features"])
def test_attention_of_nothing(empty):
    batch, asking, asked, width = (
        0 if name == empty else size
        for name, size in zip(("batch", "queries", "keys", "features"), (2, 3, 5, 4), strict=True)
    )
    query, key, value = np.ones((batch, asking, width)), np.ones((batch, asked, width)), np.ones((batch, asked, 6))
    output = attention(query, key, value)

    assert output.shape == (batch, asking, 6)
    gradients = attention_backward(np.ones(output.shape), query, key, value)
    assert [gradient.shape for gradient in gradients] == [query.shape, key.shape, value.shape]


@pytest.mark.parametrize(("key", "value"), [((5, 3), (5, 6)), ((5, 4), (4, 6)), ((4,), (5, 6))])
def test_attention_of_shapes_that_do_not_fit(key, value):
    with pytest.raises(ValueError, match="do not fit: they are"):
        attention(QUERY, np.ones(key), np.ones(value))
