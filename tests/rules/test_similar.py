"""Bugs that look alike: the one must not be given the name of the other."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.rules.judgement import explain

from .stand import Stand


def random(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


def names(forward, backward, inputs, wrt, options=None):
    """Return the first names, one per wrong input."""
    bench = Stand(forward, backward, inputs, wrt, options)
    found = explain(bench.truth(), bench.account())
    assert found, "the wrong gradient passed"
    return {finding.rule for finding in found}


def test_a_smooth_path_through_another_input_is_no_branch() -> None:
    inputs = {"x": random(6, 3), "W": random(3, 4), "b": random(4)}

    def backward(g, x, W, b):
        return ((g * (1 - np.tanh(x @ W) ** 2)) @ W.T,)

    found = names(lambda x, W, b: np.tanh(x @ W + b), backward, inputs, ("x",))

    assert "branch-condition-wrong" not in found


def test_outputs_switched_at_random_are_no_branch_of_another_input() -> None:
    inputs = {"x": random(6, 3), "W": random(3, 4), "b": random(4)}
    mask = random(6, 4) > 0

    def backward(g, x, W, b):
        return ((g * mask) @ W.T,)

    found = names(lambda x, W, b: np.maximum(x @ W + b, 0), backward, inputs, ("x",))

    assert found.isdisjoint({"branch-condition-wrong", "reused-input-not-accumulated", "kernel-not-flipped"})


def test_a_gradient_that_is_shifted_in_places_only_is_not_cropped() -> None:
    kernel = random(3)

    def forward(x):
        return sum(kernel[k] * np.pad(x, ((0, 0), (1, 1)))[:, k : k + x.shape[1]] for k in range(3))

    def backward(g, x):
        wide = np.zeros((len(x), x.shape[1] + 2))
        for k in range(3):
            wide[:, k : k + x.shape[1]] += kernel[k] * g
        dx = wide[:, : x.shape[1]].copy()
        dx[:, 2::3] = wide[:, 3:-1:3]  # these are right
        return (dx,)

    assert "padding-offset-wrong" not in names(forward, backward, {"x": random(3, 8)}, ("x",))


def test_samples_coupled_by_anything_but_means_are_no_training_mode() -> None:
    mixing = random(6, 6)

    def forward(x, mean, var):
        return (x - mean) / np.sqrt(var)

    def backward(g, x, mean, var):
        return (mixing @ g / np.sqrt(var),)

    inputs = {"x": random(6, 3), "mean": random(3), "var": 0.5 + random(3) ** 2}

    assert names(forward, backward, inputs, ("x",)) == {"mismatch"}


def test_noise_between_samples_is_no_coupling() -> None:
    noise = 0.1 * random(24, 24)

    def backward(g, x):
        return (g / np.cosh(x) ** 2 + (noise @ g.ravel()).reshape(x.shape),)

    assert names(np.tanh, backward, {"x": random(4, 6)}, ("x",)) == {"mismatch"}


def test_outputs_off_by_different_factors_are_no_lost_two() -> None:
    def forward(x):
        return x.sum(1), x**2, x**3

    def backward(g, x):
        return (g[0][:, None] + x * g[1] + 3.3 * x**2 * g[2],)

    found = names(forward, backward, {"x": random(3, 4)}, ("x",))

    assert "factor-two-in-one-path" not in found


def test_terms_that_survive_at_random_are_not_the_last_ones() -> None:
    keep = random(4, 1, 1) > 0

    def backward(g, x, w):
        return ((keep * (w.transpose(0, 2, 1) @ g)).reshape(2, 2, 3, 2).sum(1),)

    inputs = {"x": random(2, 3, 2), "w": random(4, 3, 3)}
    keep[:2, 0, 0], keep[2:, 0, 0] = (True, False), (False, True)

    found = names(lambda x, w: w @ np.repeat(x, 2, 0), backward, inputs, ("x",))

    assert found.isdisjoint({"loop-overwrites-accumulator", "duplicate-index-overwrite"})


def test_a_factor_per_sample_that_is_no_denominator_is_no_quotient_rule() -> None:
    def parts(p):
        return p[:, :3].sum(1, keepdims=True) + 1, p.sum(1, keepdims=True) + 2

    def forward(p):
        u, v = parts(p)
        return 1 - (u / v)[:, 0]

    def backward(g, p):
        u, v = parts(p)
        du = np.arange(5) < 3
        return (-g[:, None] * (du * v - u) / v**2 * (p**3).sum(1, keepdims=True),)

    found = names(forward, backward, {"p": 0.2 + random(4, 5) ** 2}, ("p",))

    assert found.isdisjoint({"quotient-rule-error", "operator-precedence"})


def test_a_path_that_counts_a_share_without_a_length_is_no_wrong_count() -> None:
    def forward(x):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-2)

    def backward(g, x):
        r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-2)
        return (r * (g - 3.137 * x * r * (g * x * r).mean(-1, keepdims=True)),)

    assert "wrong-normaliser-count" not in names(forward, backward, {"x": random(3, 5)}, ("x",))


def test_another_formula_outside_of_the_middle_is_not_its_continuation() -> None:
    def backward(g, x):
        return (g * np.where(np.abs(x) < 3, (2 * x + 3) / 6, np.exp(0.1 * x)),)

    found = names(lambda x: x * np.clip(x + 3, 0, 6) / 6, backward, {"x": 3 * random(4, 6)}, ("x",))

    assert found == {"mismatch"}


def test_a_wrong_term_below_zero_that_is_not_turned_is_no_sign() -> None:
    def backward(g, x):
        return (g * (np.where(x > 0, 1 / x, 0.3 / x) + 1 / (1 + x * x)),)

    found = names(lambda x: np.log(np.abs(x)) + np.arctan(x), backward, {"x": random(4, 5)}, ("x",))

    assert "sign-error-in-one-branch" not in found


def test_a_formula_of_the_output_that_is_no_derivative_is_not_evaluated_there() -> None:
    def backward(g, x):
        return (g / (1 + np.log2(x) ** 2),)

    found = names(np.log2, backward, {"x": 0.3 + random(4, 4) ** 2}, ("x",))

    assert "derivative-evaluated-at-output" not in found


def test_weights_of_other_sums_are_not_normalised_over_another_axis() -> None:
    def forward(x):
        return np.log(np.exp(x).sum(-1))

    def backward(g, x):
        e = np.exp(x)
        return (g[..., None] * e / (1.0 + e.sum(1, keepdims=True)),)

    assert "wrong-axis" not in names(forward, backward, {"x": random(2, 3, 4)}, ("x",))


def test_copies_that_went_to_wrong_places_one_by_one_are_no_wrong_axis() -> None:
    index = np.array([0, 1, 1, 0])

    def backward(g, v, w):
        dv = np.zeros_like(v)
        np.add.at(dv, index, w.transpose(0, 2, 1) @ g)
        return (dv,)

    inputs = {"v": random(2, 3, 2), "w": random(4, 3, 3)}
    found = names(lambda v, w: w @ np.repeat(v, 2, 0), backward, inputs, ("v",))

    assert "broadcast-wrong-axis-summed" not in found


def test_a_penalty_of_another_weight_is_not_that_of_another_penalty() -> None:
    inputs = {"w": random(5), "X": random(6, 5), "y": random(6)}

    def forward(w, X, y, l1=0.3):
        return ((X @ w - y) ** 2).mean() + l1 * np.abs(w).sum()

    def backward(g, w, X, y, l1=0.3):
        return (g * (2 * X.T @ (X @ w - y) / len(y) + 0.7 * l1 * w**3),)

    assert names(forward, backward, inputs, ("w",), {"l1": 0.3}) == {"mismatch"}


def test_samples_with_a_factor_of_their_own_are_said_to_have_one() -> None:
    x = random(4, 5)
    factors = np.array([1.7, 2.9, 0.3, 5.1])[:, None]
    bench = Stand(lambda x: np.tanh(x).sum(1), lambda g, x: (factors * g[:, None] / np.cosh(x) ** 2,), {"x": x}, ("x",))

    (finding,) = explain(bench.truth(), bench.account())

    assert finding.rule == "mismatch"
    assert finding.message == "20 of 20 entries of x are wrong; each sample is off by one factor, between 0.3 and 5.1"
    assert finding.evidence["factor of each sample"] == [pytest.approx(0.3), pytest.approx(5.1)]


def test_a_weight_that_lost_more_than_its_scale_was_not_held_constant() -> None:
    other = random(4, 1) ** 2

    def backward(g, W, x):
        return (other * (g.T @ x),)

    def forward(W, x):
        return x @ (W / np.linalg.norm(W, axis=1, keepdims=True)).T

    found = names(forward, backward, {"W": random(4, 6), "x": random(5, 6)}, ("W",))

    assert found.isdisjoint({"norm-treated-as-constant", "statistics-treated-as-constants"})


def test_slopes_that_the_function_does_not_have_are_no_other_branch() -> None:
    def forward(x, t, q=0.2):
        d = t - x
        return np.where(d > 0, q * d, (q - 1) * d).mean()

    def backward(g, x, t, q=0.2):
        return (-g * np.where(t - x < 0, 0.5, q - 1) / len(x),)

    found = names(forward, backward, {"x": random(8), "t": random(2, 8)[0]}, ("x",), {"q": 0.2})

    assert "branch-condition-wrong" not in found


def test_a_loss_with_a_slope_for_every_entry_is_not_made_of_pieces() -> None:
    slopes = np.array([0.5, -1.0, 2.0])

    def backward(g, x):
        return (g * np.array([2.0, -1.0, 0.5]),)

    found = names(lambda x: x @ slopes, backward, {"x": random(3)}, ("x",))

    assert "branch-condition-wrong" not in found


@pytest.mark.parametrize(("factor", "wanted"), [(5.0, False), (1.0, True)])
def test_a_multiple_of_a_quadratic_forms_gradient_is_no_transpose(factor: float, wanted: bool) -> None:
    def backward(g, x, A):
        return (g * (factor * (A + A.T) @ x if not wanted else 2 * A @ x),)

    found = names(lambda x, A: x @ A @ x, backward, {"x": random(3), "A": random(3, 3)}, ("x",))

    assert ("transposed-jacobian" in found) == wanted


@pytest.mark.parametrize(("padding", "wanted"), [(True, True), (False, False)])
def test_the_padding_of_an_embedding_is_told_from_other_rows(padding: bool, wanted: bool) -> None:
    ids = np.array([0, 1, 2, 0, 3])

    def backward(g, E, ids):
        dE = np.zeros_like(E)
        np.add.at(dE, ids, g if padding else g * (ids != 2)[:, None])
        return (dE,)

    found = names(lambda E, ids: E[ids] * (ids != 0)[:, None], backward, {"E": random(4, 3), "ids": ids}, ("E",))

    assert ("ignore-index-not-masked" in found) == wanted


RESIDUALS = {
    "relu": (lambda x: x + 2 * np.maximum(x, 0), lambda x: 2.0 * (x > 0)),
    "a square": (lambda x: x + np.sin(x) ** 2, lambda x: 2 * np.sin(x) * np.cos(x)),
    "a known function": (lambda x: x + np.exp(x), np.exp),
}


@pytest.mark.parametrize("name", RESIDUALS)
def test_an_elementwise_residual_without_the_identity_lacks_a_path(name) -> None:
    forward, slope = RESIDUALS[name]
    bench = Stand(forward, lambda g, x: (g * slope(x),), {"x": random(4, 3)}, ("x",))

    (finding,) = explain(bench.truth(), bench.account())

    assert finding.rule == "reused-input-not-accumulated"
    assert "additive-constant-offset" in finding.also


OFFSETS = {
    "another constant": (lambda x: x + np.sin(x) ** 2, lambda x: 0.5 + 2 * np.sin(x) * np.cos(x)),
    "a constant too many": (lambda x: np.sin(x) ** 2, lambda x: 1 + 2 * np.sin(x) * np.cos(x)),
    "a 1 of a known function": (np.tanh, lambda x: -(np.tanh(x) ** 2)),
}


@pytest.mark.parametrize("name", OFFSETS)
def test_a_constant_that_is_no_identity_path_is_an_offset_only(name) -> None:
    forward, slope = OFFSETS[name]
    bench = Stand(forward, lambda g, x: (g * slope(x),), {"x": random(4, 3)}, ("x",))

    (finding,) = explain(bench.truth(), bench.account())

    assert finding.rule == "additive-constant-offset"
    assert finding.message.endswith(" times the upstream")
    assert "reused-input-not-accumulated" not in finding.also


def test_the_1_of_x_log_x_is_a_term_of_the_product_and_no_identity_path() -> None:
    inputs = {"x": 0.2 + random(4, 3) ** 2}
    bench = Stand(lambda x: x * np.log(x), lambda g, x: (g * np.log(x),), inputs, ("x",))

    (finding,) = explain(bench.truth(), bench.account())

    assert finding.rule == "product-rule-term-missing"
    assert "reused-input-not-accumulated" not in finding.also


def averaged(forward, backward, inputs):
    bench = Stand(forward, backward, inputs, tuple(inputs))
    (finding,) = explain(bench.truth(), bench.account())
    return finding


BROADCAST = {
    "a row": ((3,), 0, lambda a, b: np.cos(a - b)),
    "a column": ((5, 1), 1, lambda a, b: np.cos(a - b)),
    "a number": ((), None, lambda a, b: np.cos(a - b)),
}


@pytest.mark.parametrize("name", BROADCAST)
@pytest.mark.parametrize("total", [lambda y: y.sum(), lambda y: y.sum(1)])
def test_a_broadcast_operand_inside_a_sum_is_averaged(name, total) -> None:
    shape, axis, inner = BROADCAST[name]

    def backward(g, a, b):
        d = np.reshape(g, (-1, 1)) * np.sin(a - b)
        return -d, d.mean(axis, keepdims=axis == 1)

    found = averaged(lambda a, b: total(inner(a, b)), backward, {"a": random(5, 3), "b": 0.5 * random(*shape)})

    assert found.rule == "broadcast-averaged-not-summed"


def test_a_vector_that_a_matrix_is_multiplied_with_is_no_broadcast_operand() -> None:
    def backward(g, X, w):
        d = g / np.cosh(X @ w) ** 2
        return np.outer(d, w), d @ X / 5

    found = averaged(lambda X, w: np.tanh(X @ w).sum(), backward, {"X": random(5, 3), "w": random(3)})

    assert found.rule == "extra-one-over-n"
    assert "broadcast-averaged-not-summed" not in found.also


def test_a_broadcast_operand_of_a_mean_is_divided_twice() -> None:
    def backward(g, a, b):
        d = g * np.sin(a - b) / 5
        return -d, d.mean(0)

    found = averaged(lambda a, b: np.cos(a - b).sum(1).mean(), backward, {"a": random(5, 3), "b": 0.5 * random(3)})

    assert found.rule == "extra-one-over-n"
    assert "broadcast-averaged-not-summed" in found.also
