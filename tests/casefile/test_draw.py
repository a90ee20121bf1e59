"""What is drawn: shapes, dtypes, what each draw is named for, and what is refused before it costs memory."""

import math
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradcheck.casefile.draw import draw, draw_inputs, seed_words
from gradcheck.casefile.draws import DRAWS, DTYPES, MAX_ELEMENTS, size_complaint
from gradcheck.casefile.inputs import MODELS
from gradcheck.casefile.samples import DRAWERS
from gradcheck.casefile.schema import KEYS, DrawName
from gradcheck.errors import UsageError
from gradcheck.model import InputSpec

REQUIRED = {"integers": {"high": 7}, "constant": {"value": 1}}
SHAPES = st.lists(st.integers(0, 5), min_size=0, max_size=4).map(tuple)
ARRAYS = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
SEEDS = st.integers(0, 2**32)


def rng(seed=0):
    return np.random.default_rng(seed)


def refusal(spec, seed=0):
    with pytest.raises(UsageError) as caught:
        draw(spec, rng(seed))
    return caught.value.message


# ---------------------------------------------------------------------------------------------------------------
# every draw


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(DRAWERS)), shape=SHAPES, dtype=st.sampled_from((None, *DTYPES)), seed=SEEDS)
@example(name="permutation", shape=(3, 4, 5, 5), dtype="uint8", seed=0)
def test_shape_dtype_and_memory_of_every_draw(name, shape, dtype, seed):
    spec = InputSpec(name, shape, dtype, dict(REQUIRED.get(name, {})))
    if "axis" in DRAWS[name].parameters and not shape:
        assert refusal(spec) == f"the draw '{name}' fails: axis -1 is out of range for shape []"
        return
    plain = draw(InputSpec(name, shape, None, spec.parameters), rng(seed))
    limits = np.iinfo(dtype) if dtype is not None and np.dtype(dtype).kind in "iu" else None
    if limits is not None and not np.all((np.rint(plain) >= limits.min) & (np.rint(plain) <= limits.max)):
        assert refusal(spec, seed) == f"there are values that do not fit into {dtype}"
        return
    array = draw(spec, rng(seed))
    assert type(array) is np.ndarray
    assert array.shape == shape
    assert array.dtype == (dtype or DRAWS[name].dtype)
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert array.flags.owndata or array.base.flags.owndata
    assert np.array_equal(array, draw(spec, rng(seed)))


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from(sorted(set(DRAWERS) - {"integers", "permutation"})), shape=ARRAYS, seed=SEEDS)
def test_float32_holds_the_numbers_of_float64(name, shape, seed):
    parameters = dict(REQUIRED.get(name, {}))
    double = draw(InputSpec(name, shape, None, parameters), rng(seed))
    single = draw(InputSpec(name, shape, "float32", parameters), rng(seed))
    assert np.array_equal(double.astype(np.float32), single)


def test_the_table_of_draws_is_that_of_the_schema():
    assert set(DRAWS) == set(MODELS) == {*DRAWERS, "values", "file"}
    for name, entry in DRAWS.items():
        assert set(KEYS[f"<{name}>"]) == {"draw", "shape", "dtype", "pin", *entry.parameters}
        required = {
            field.alias or key
            for key, field in MODELS[name].model_fields.items()
            if field.is_required() and key != "draw"
        }
        assert required == set(entry.required)
    assert DrawName.__args__ == tuple(name for name, entry in DRAWS.items() if not entry.required)


# ---------------------------------------------------------------------------------------------------------------
# each draw


@given(shape=ARRAYS, seed=SEEDS, axis=st.integers(0, 3))
def test_one_hot(shape, seed, axis):
    axis = axis % len(shape) - len(shape) * (seed % 2)
    array = draw(InputSpec("one-hot", shape, None, {"axis": axis}), rng(seed))
    assert set(np.unique(array)) <= {0.0, 1.0}
    assert np.all(array.sum(axis) == 1)


@given(shape=ARRAYS, seed=SEEDS, axis=st.integers(0, 3), scale=st.floats(0.1, 100))
def test_simplex(shape, seed, axis, scale):
    axis %= len(shape)
    array = draw(InputSpec("simplex", shape, None, {"axis": axis, "scale": scale}), rng(seed))
    assert np.all(array >= 0)
    assert np.allclose(array.sum(axis), 1)


@given(shape=ARRAYS, seed=SEEDS, gap=st.floats(0.01, 10))
def test_distinct(shape, seed, gap):
    array = draw(InputSpec("distinct", shape, None, {"gap": gap}), rng(seed)).ravel()
    assert np.all(np.abs(array) > gap / 5)
    assert np.all(np.diff(np.sort(array)) > gap * 0.999)


@given(shape=ARRAYS, seed=SEEDS, around=st.floats(-5, 5), gap=st.floats(0.01, 10))
def test_away_from(shape, seed, around, gap):
    array = draw(InputSpec("away-from", shape, None, {"from": around, "gap": gap}), rng(seed))
    assert np.all(np.abs(array - around) >= gap * 0.999)


def test_away_from_lies_on_both_sides():
    array = draw(InputSpec("away-from", (100,), None, {"from": 3.0}), rng())
    assert 20 < np.sum(array > 3) < 80


@given(shape=ARRAYS, seed=SEEDS, axis=st.integers(0, 3))
def test_ties(shape, seed, axis):
    axis %= len(shape)
    array = draw(InputSpec("ties", shape, None, {"axis": axis}), rng(seed))
    largest = np.sum(array == array.max(axis, keepdims=True), axis)
    assert np.all(largest == min(2, shape[axis]))


@given(shape=ARRAYS, seed=SEEDS, low=st.integers(-10, 10), extra=st.integers(0, 50))
def test_permutation(shape, seed, low, extra):
    size = math.prod(shape)
    array = draw(InputSpec("permutation", shape, None, {"low": low, "high": low + size + extra}), rng(seed))
    assert array.dtype == np.int64
    assert len(np.unique(array)) == size
    assert array.min() >= low
    assert array.max() < low + size + extra
    whole = draw(InputSpec("permutation", shape, None, {"low": low}), rng(seed))
    assert sorted(whole.ravel()) == list(range(low, low + size))


@given(shape=ARRAYS, seed=SEEDS, low=st.integers(-10, 10), width=st.integers(1, 9))
def test_integers(shape, seed, low, width):
    array = draw(InputSpec("integers", shape, None, {"low": low, "high": low + width}), rng(seed))
    assert np.all((array >= low) & (array < low + width))


def test_distributions():
    def sample(name, **parameters):
        return draw(InputSpec(name, (100_000,), None, parameters), rng())

    normal = sample("normal", loc=3.0, scale=0.5)
    assert normal.mean() == pytest.approx(3, abs=0.01)
    assert normal.std() == pytest.approx(0.5, abs=0.01)
    uniform = sample("uniform", low=-1.0, high=3.0)
    assert uniform.min() >= -1
    assert uniform.max() < 3
    assert uniform.mean() == pytest.approx(1, abs=0.02)
    assert sample("positive", low=0.25).min() >= 0.25
    assert sample("bernoulli", p=0.2).mean() == pytest.approx(0.2, abs=0.01)
    assert set(sample("ones")) == {1.0}
    assert set(sample("constant", value=-2.5)) == {-2.5}


# ---------------------------------------------------------------------------------------------------------------
# values and pins


@pytest.mark.parametrize(
    ("values", "dtype", "shape"),
    [
        ([[1, 2], [3, 4]], "int64", (2, 2)),
        ([1, 2.5], "float64", (2,)),
        ([True, False], "bool", (2,)),
        (3, "int64", ()),
        ([], "float64", (0,)),
        ([[], []], "float64", (2, 0)),
        ([math.inf, math.nan], "float64", (2,)),
    ],
)
def test_values(values, dtype, shape):
    array = draw(InputSpec("values", parameters={"values": values}), rng())
    assert (array.dtype, array.shape) == (dtype, shape)
    assert np.array_equal(array, np.array(values), equal_nan=array.dtype.kind == "f")


def test_values_are_not_bent_to_a_dtype():
    assert refusal(InputSpec("values", dtype="int64", parameters={"values": [1.5]})) == (
        "there are values that are not whole, and int64 was asked for"
    )
    assert refusal(InputSpec("values", dtype="int8", parameters={"values": [128]})) == (
        "there are values that do not fit into int8"
    )
    assert refusal(InputSpec("values", dtype="float16", parameters={"values": [1e6]})) == (
        "there are values that overflow in float16"
    )
    assert refusal(InputSpec("values", dtype="bool", parameters={"values": [2]})) == (
        "values other than 0 and 1 do not fit into bool"
    )
    assert refusal(InputSpec("values", parameters={"values": [2**63]})) == "there are values that do not fit into int64"
    assert refusal(InputSpec("values", parameters={"values": [2**80]})) == "there are values that do not fit into int64"
    assert refusal(InputSpec("values", dtype="int64", parameters={"values": [math.nan]})) == (
        "there are values that do not fit into int64"
    )
    assert refusal(InputSpec("values", parameters={"values": [[1], [1, 2]]})) == (
        "rows of different lengths: row 0 has shape (1,), row 1 has (2,)"
    )
    assert refusal(InputSpec("values", parameters={"values": ["1"]})) == "only numbers can be values"
    assert refusal(InputSpec("values", (3,), parameters={"values": [1, 2]})) == "the array has shape [2], not [3]"
    whole = draw(InputSpec("values", dtype="int16", parameters={"values": [1.0, 2.0]}), rng())
    assert whole.dtype == np.int16


def test_pins():
    spec = InputSpec("normal", (2, 3), pin=[((0, 1), 1e3), ((-1, -1), math.nan), ((1, 0), -math.inf)])
    array, plain = draw(spec, rng()), draw(InputSpec("normal", (2, 3)), rng())
    assert array[0, 1] == 1e3
    assert math.isnan(array[1, 2])
    assert array[1, 0] == -math.inf
    assert np.array_equal(array[[0, 0, 1], [0, 2, 1]], plain[[0, 0, 1], [0, 2, 1]])
    row = draw(InputSpec("ones", (2, 3), pin=[((1,), 5.0)]), rng())
    assert row.tolist() == [[1, 1, 1], [5, 5, 5]]
    assert refusal(InputSpec("ones", (2,), pin=[((2,), 0.0)])) == (
        "the pin at [2] is out of range for an array of shape [2]"
    )
    assert refusal(InputSpec("integers", (2,), parameters={"high": 3}, pin=[((0,), 0.5)])) == (
        "there are values that are not whole, and int64 was asked for"
    )


# ---------------------------------------------------------------------------------------------------------------
# what is refused


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (InputSpec("gaussian", (3,)), "unknown draw 'gaussian'"),
        (InputSpec("normal", (3,), "float31"), "unknown dtype 'float31'"),
        (InputSpec("normal"), "no shape is given"),
        (InputSpec("normal", (3,), None, {"low": 1}), "the draw 'normal' takes no 'low'"),
        (InputSpec("integers", (3,)), "the draw 'integers' needs 'high'"),
        (InputSpec("integers", (3,), None, {"high": 0}), "the draw 'integers' fails: low (0) is not below high (0)"),
        (
            InputSpec("integers", (3,), None, {"high": 2**70}),
            "the draw 'integers' fails: high is out of bounds for int64",
        ),
        (InputSpec("uniform", (3,), None, {"low": 2}), "the draw 'uniform' fails: low (2) is not below high (1)"),
        (InputSpec("bernoulli", (3,), None, {"p": 2}), "the draw 'bernoulli' fails: p (2) is no probability"),
        (InputSpec("normal", (3, -1)), "a dimension is negative"),
        (InputSpec("normal", (1,) * 33), "33 dimensions; an array has at most 32"),
        (InputSpec("normal", (3,), "float32", {"scale": 1e300}), "there are values that overflow in float32"),
        (
            InputSpec("permutation", (5,), None, {"high": 3}),
            "the draw 'permutation' fails: 5 different numbers do not fit between 0 and 3",
        ),
    ],
)
def test_refusals(spec, message):
    assert refusal(spec) == message


@pytest.mark.parametrize("name", sorted(DRAWERS))
@pytest.mark.parametrize("shape", [(10**12,), (10**6, 10**6), (0, 10**12), (2**40, 2**40), (MAX_ELEMENTS + 1,)])
def test_huge_shapes_are_refused_before_anything_is_allocated(name, shape):
    tracemalloc.start()
    try:
        assert refusal(InputSpec(name, shape, None, dict(REQUIRED.get(name, {})))).endswith("are drawn")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_permutation_of_a_huge_range_is_refused():
    message = refusal(InputSpec("permutation", (3,), None, {"high": 10**12}))
    assert message == "the draw 'permutation' fails: 1e+12 elements; at most 2.68e+08 are drawn"


def test_sizes():
    assert size_complaint((MAX_ELEMENTS,)) == ""
    assert size_complaint((0, MAX_ELEMENTS)) == ""
    assert size_complaint(()) == ""
    assert size_complaint((MAX_ELEMENTS, 2)) == "5.37e+08 elements; at most 2.68e+08 are drawn"


# ---------------------------------------------------------------------------------------------------------------
# all inputs of a case


SPECS = {
    "x": InputSpec("normal", (3, 4)),
    "y": InputSpec("uniform", (5,)),
    "k": InputSpec("integers", (2,), None, {"high": 9}),
}


def test_inputs_do_not_depend_on_their_order_or_on_each_other():
    arrays = draw_inputs(SPECS, 7, "case")
    assert list(arrays) == ["x", "y", "k"]
    turned = draw_inputs(dict(reversed(SPECS.items())), 7, "case")
    alone = draw_inputs({"y": SPECS["y"]}, 7, "case")
    assert all(np.array_equal(arrays[name], turned[name]) for name in SPECS)
    assert np.array_equal(arrays["y"], alone["y"])


def test_seed_case_and_input_each_change_the_numbers():
    spec = {"x": SPECS["x"], "z": SPECS["x"]}
    arrays = draw_inputs(spec, 0, "case")
    assert not np.array_equal(arrays["x"], arrays["z"])
    assert not np.array_equal(arrays["x"], draw_inputs(spec, 1, "case")["x"])
    assert not np.array_equal(arrays["x"], draw_inputs(spec, 0, "other")["x"])


def test_folder_and_variant_do_not_change_the_numbers():
    assert seed_words(3, "folder/inner/case[axis=0,shape=4x5]") == seed_words(3, "case") == [3, zlib.crc32(b"case")]


def test_the_numbers_stay_the_same_from_version_to_version():
    x = draw_inputs({"x": InputSpec("normal", (3,))}, 0, "softmax")["x"]
    expected = np.random.default_rng([0, zlib.crc32(b"softmax"), zlib.crc32(b"x")]).standard_normal(3)
    assert np.array_equal(x, expected)


def test_the_global_generator_is_not_touched():
    state = np.random.get_state()[1].tolist()
    draw_inputs(SPECS, 0, "case")
    assert np.random.get_state()[1].tolist() == state


def test_an_error_names_the_input():
    with pytest.raises(UsageError) as caught:
        draw_inputs({"x": InputSpec("normal")}, 0, "case")
    assert str(caught.value) == (
        "input 'x': no shape is given\n  = help: write for example shape: [4, 5], or --shape 4,5"
    )
    with pytest.raises(UsageError, match="the seed -1 is negative"):
        draw_inputs(SPECS, -1, "case")
