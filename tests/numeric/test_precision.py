import numpy as np
import pytest

from gradcheck.numeric.precision import DOUBLE, HALF, SINGLE, detect_precision, round_to_grid

RNG = np.random.default_rng(3)
X = RNG.standard_normal((4, 5))
ON_GRID = X.astype(np.float32).astype(float)


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def inside(dtype, function):
    return lambda x: np.asarray(function(x.astype(dtype))).astype(float).ravel()


def detect(function, x):
    return detect_precision(function, x, function(x), np.random.default_rng(0)).name


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(
    "function", [softmax, np.tanh, lambda x: x, lambda x: np.maximum(x, 0), lambda x: (x * x).sum(), lambda x: x.T]
)
@pytest.mark.parametrize("x", [X, ON_GRID, np.abs(X), 1e-2 * X], ids=["1", "grid", "positive", "1e-2"])
def test_precision_is_seen_from_the_values(dtype, function, x):
    assert detect(inside(dtype, function), x) == dtype


def test_a_scalar_that_hardly_moves():
    x = 1e3 * RNG.standard_normal(10_000).astype(np.float32).astype(float)

    assert detect(inside("float32", lambda z: ((z - np.float32(0.3)) ** 2).mean()), x) == "float32"


def test_tiny_probabilities_keep_their_side():
    logits = 4 * RNG.standard_normal((20, 50)) * 10 ** RNG.uniform(-6, 3, (20, 50))
    p = softmax(logits - logits.max(1, keepdims=True)) + 1e-30

    assert detect(inside("float32", lambda z: -np.log(z).mean()), p) == "float32"


def test_cast_input_in_front_of_float64():
    assert detect(lambda x: np.array([(x.astype(np.float32).astype(float) ** 2).sum()]), X) == "float32"
    assert detect(lambda x: np.array([(x.astype(np.float16).astype(float) ** 2).sum()]), X) == "float16"


@pytest.mark.parametrize(
    "function",
    [
        np.sign,
        np.round,
        lambda x: np.where(x > 0, np.float32(0.1), 0.0),
        lambda x: np.clip(x, -np.float32(0.1), np.float32(0.1)),
        lambda x: np.zeros(3),
        lambda x: np.array([x.sum() + 1e6]),
    ],
    ids=["sign", "round", "step", "clip", "constant", "large constant"],
)
def test_steps_and_constants_are_no_coarse_precision(function):
    assert detect(lambda x: np.asarray(function(x), dtype=float).ravel(), X) == "float64"


def test_one_narrow_output_of_two_counts():
    def both(x):
        return np.concatenate([softmax(x).ravel(), softmax(x.astype(np.float32)).astype(float).ravel()])

    assert detect(both, X) == "float32"


def test_nothing_to_see():
    assert detect_precision(np.ravel, np.zeros((0, 3)), np.zeros(0), np.random.default_rng(0)) is DOUBLE


def test_rounding_to_the_grid():
    assert np.array_equal(round_to_grid(X, DOUBLE), X)
    assert np.array_equal(round_to_grid(X, SINGLE), ON_GRID)
    assert np.array_equal(round_to_grid(np.array([1e300, 1.0]), HALF), [1e300, 1.0])
