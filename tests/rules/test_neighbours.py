"""Names that lie next to each other: a case of the one, and a case that differs in nothing else and has the other."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.rules.judgement import explain

from .stand import Stand


def random(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


def first(forward, backward, inputs, wrt=("x",), options=None):
    """Return the first name of every wrong input."""
    bench = Stand(forward, backward, inputs, wrt, options)
    found = explain(bench.truth(), bench.account())
    assert found, "the wrong gradient passed"
    return {finding.wrt: finding.rule for finding in found}


X = random(3, 4)


# ---------------------------------------------------------------------------------------------------------------
# counts


@pytest.mark.parametrize(
    ("total", "rule"),
    [
        pytest.param(
            lambda x: ((x - x.mean(1, keepdims=True)) ** 2).sum() / x.shape[1], "ddof-mismatch", id="deviations"
        ),
        pytest.param(lambda x: (x**2).sum() / x.shape[1], "wrong-normaliser-count", id="squares"),
    ],
)
def test_a_quotient_of_counts_is_one_of_degrees_of_freedom_only_below_deviations(total, rule):
    centred = rule == "ddof-mismatch"

    def backward(g, x):
        rest = x - x.mean(1, keepdims=True) if centred else x
        return (2 * g * rest / x.shape[0],)

    found = first(lambda x: np.asarray(total(x)), backward, {"x": X})

    # 4/3 is both, the other length and n/(n - 1): only deviations have degrees of freedom
    assert found["x"] in {rule, "wrong-normaliser-count"}
    assert centred or found["x"] != "ddof-mismatch"


@pytest.mark.parametrize(("length", "rule"), [(1, "wrong-normaliser-count"), (None, "mismatch")])
def test_a_mean_that_is_one_of_several_outputs_is_divided_by_another_length(length, rule):
    def backward(g, x):
        divisor = 5.37 if length is None else x.shape[0]
        return (g[0][:, None] * (x == x.max(1, keepdims=True)) + g[1][:, None] / divisor,)

    found = first(lambda x: (x.max(1), x.mean(1)), backward, {"x": X})

    assert found["x"] == rule


@pytest.mark.parametrize(("more", "rule"), [(0.0, "wrong-normaliser-count"), (0.7, "mismatch")])
def test_the_rows_of_a_table_are_divided_by_how_often_a_label_names_them(more, rule):
    labels = np.array([0, 1, 2, 1, 0, 1])

    def backward(g, c, x, t):
        dc = np.zeros_like(c)
        np.add.at(dc, t, -g * (x - c[t]))
        return (dc / (np.bincount(t)[:, None] + more),)

    found = first(
        lambda c, x, t: np.asarray(0.5 * ((x - c[t]) ** 2).sum()),
        backward,
        {"c": random(3, 2), "x": random(6, 2), "t": labels},
        ("c",),
    )

    assert found["c"] == rule


@pytest.mark.parametrize(("count", "rule"), [(4.0, "wrong-normaliser-count"), (3.1, "mismatch")])
def test_weights_of_a_mean_are_counted_and_not_summed(count, rule):
    w = np.abs(random(3, 4)) + 0.5

    def backward(g, x, w):
        return (g[:, None] * (w / count)[..., None],)

    found = first(
        lambda x, w: (x * w[..., None]).sum(1) / w.sum(1, keepdims=True), backward, {"x": random(3, 4, 2), "w": w}
    )

    assert found["x"] == rule


def test_labels_that_are_whole_numbers_but_no_integers_count_and_are_ignored_too():
    inputs = {"x": random(4, 3), "t": np.array([[0.0, 1, -1], [1, -1, 0], [-1, -1, 1], [0, 1, 1]])}

    def forward(x, t):
        return np.asarray(((t >= 0) * (np.logaddexp(0, x) - x * np.maximum(t, 0))).sum() / (t >= 0).sum())

    def backward(g, x, t, mask, count):
        return (g * mask * (1 / (1 + np.exp(-x)) - np.maximum(t, 0)) / count,)

    leaks = first(forward, lambda g, x, t: backward(g, x, t, 1.0, (t >= 0).sum()), inputs)
    counts = first(forward, lambda g, x, t: backward(g, x, t, t >= 0, t.size), inputs)
    other = first(forward, lambda g, x, t: backward(g, x, t, t >= 0, 7.7), inputs)

    assert (leaks["x"], counts["x"]) == ("ignore-index-not-masked", "wrong-normaliser-count")
    assert other["x"] == "mismatch"


@pytest.mark.parametrize(("kind", "rule"), [(float, "missing-inner-factor"), (int, "wrong-normaliser-count")])
def test_an_exponent_is_no_window(kind, rule):
    x = np.abs(X) + 0.5

    def backward(g, x, p):
        return (p * g[:, None] * (x / ((x**p).sum(1) ** (1 / p))[:, None]) ** (p - 1),)

    found = first(lambda x, p: (x**p).sum(1) ** (1 / p), backward, {"x": x}, options={"p": kind(3)})

    assert found["x"] == rule


@pytest.mark.parametrize(("share", "rule"), [(1 / 5, "extra-one-over-n"), (0.77, "mismatch")])
def test_a_loss_is_divided_once_more_and_its_penalty_is_not(share, rule):
    def backward(g, W, x, lam):
        return (share * g * x.T @ (2 * (x @ W)) + 2 * lam * g * W,)

    found = first(
        lambda W, x, lam: np.asarray(((x @ W) ** 2).sum() + lam * (W * W).sum()),
        backward,
        {"W": random(3, 2), "x": random(5, 3)},
        ("W",),
        {"lam": 0.3},
    )

    assert found["W"] == rule


# ---------------------------------------------------------------------------------------------------------------
# scales of a layer


def unit(x):
    return (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)


@pytest.mark.parametrize("forward", [lambda x, w: unit(x) * (1 + w), lambda x, w: unit(x) * w + unit(x) ** 3 / 9])
def test_a_scale_that_is_stored_less_one_is_a_scale_and_no_path(forward):
    def backward(g, x, w):
        step = 1e-5
        slopes = [
            (forward(x + step * e.reshape(x.shape), 0 * w) - forward(x - step * e.reshape(x.shape), 0 * w)) / (2 * step)
            for e in np.eye(x.size)
        ]
        return (np.array([(slope * g).sum() for slope in slopes]).reshape(x.shape),)

    found = first(forward, backward, {"x": random(2, 4), "w": random(4)})
    at_minus_one = forward(random(2, 4), -np.ones(4))

    assert (found["x"] == "affine-scale-missing") == (not np.any(at_minus_one))


@pytest.mark.parametrize(("norm", "rule"), [(True, "affine-scale-missing"), (False, "sample-weight-not-in-backward")])
def test_the_scale_of_weight_normalisation_is_no_weight_of_samples(norm, rule):
    def size(v):
        return np.sqrt((v * v).sum(0)) if norm else 1.0

    def forward(v, s, x):
        return x @ (s * v / size(v))

    def backward(g, v, s, x):
        d = x.T @ g
        return (d / size(v) - norm * v * (d * v).sum(0) / size(v) ** 3, (d * v / size(v)).sum(0))

    inputs = {"v": random(3, 2), "s": np.array([0.4, 2.1]), "x": random(5, 3)}

    assert first(forward, backward, inputs, ("v", "s"))["v"] == rule


# ---------------------------------------------------------------------------------------------------------------
# what comes last


@pytest.mark.parametrize(
    ("forward", "slope", "rule"),
    [
        pytest.param(lambda x: np.sqrt((x * x).sum(1)), lambda x, y: x / y**2, "norm-power-wrong", id="norm"),
        pytest.param(
            lambda x: np.abs(x).prod(1) ** (1 / 4), lambda x, y: 0.25 / x, "missing-inner-factor", id="geometric mean"
        ),
        pytest.param(lambda x: np.sqrt((x * x).sum(1)), lambda x, y: x / y**1.3, "mismatch", id="no whole power"),
    ],
)
def test_a_power_of_the_output_is_one_of_a_norm_where_the_output_is_a_norm(forward, slope, rule):
    def backward(g, x):
        return (g[:, None] * slope(x, forward(x)[:, None]),)

    assert first(forward, backward, {"x": X})["x"] == rule


@pytest.mark.parametrize(("base", "rule"), [(0.0, "output-used-without-inverse-map"), (-0.4, "mismatch")])
def test_the_output_without_its_constant_is_the_output(base, rule):
    def backward(g, x, alpha):
        return (g * np.where(x > 0, 1.0, alpha * np.expm1(np.minimum(x, 0)) + base),)

    def forward(x, alpha):
        return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))

    assert first(forward, backward, {"x": random(4, 4)}, options={"alpha": 1.3})["x"] == rule


# ---------------------------------------------------------------------------------------------------------------
# branches


def test_a_branch_with_a_slope_for_every_channel_is_recovered_from_the_output():
    inputs = {"x": random(5, 3), "a": np.array([0.3, -0.4, -0.2])}

    def forward(x, a):
        return np.where(x > 0, x, a * x)

    def backward(g, x, a, slope):
        y = forward(x, a)
        return g * np.where(y > 0, slope, a), (g * np.where(y > 0, 0.0, x)).sum(0)

    same = first(forward, lambda g, x, a: backward(g, x, a, 1.0), inputs, ("x", "a"))
    other = first(forward, lambda g, x, a: backward(g, x, a, 1.0 + 0.3 * (x > 0)), inputs, ("x", "a"))

    assert set(same.values()) == {"branch-recovered-from-output"}
    assert other["x"] != "branch-recovered-from-output"


@pytest.mark.parametrize(("tested", "rule"), [(False, "branch-condition-wrong"), (True, "mismatch")])
def test_a_loss_without_its_margin_test_has_the_gradient_of_the_other_branch(tested, rule):
    labels = np.array([1.0, -1, 1, 1, -1, -1, 1, -1])

    def backward(g, s, y):
        inside = 1 - y * s
        return (-2 * g * y * (np.where(inside > 0, inside + 0.3, 0) if tested else inside),)

    found = first(
        lambda s, y: np.asarray((np.maximum(0, 1 - y * s) ** 2).sum()),
        backward,
        {"s": 1.5 * random(8), "y": labels},
        ("s",),
    )

    assert found["s"] == rule


@pytest.mark.parametrize(("near", "rule"), [(1.003, "loose-equality-mask"), (1.9, "branch-condition-wrong")])
def test_an_operand_that_is_nearly_selected(near, rule):
    inputs = {"a": np.array([1.0, 2, 3, -1, 0.5, 0]), "b": np.array([near, 1, 3.5, -near, 0.2, 1])}

    def backward(g, a, b):
        return g * (np.minimum(a, b) > a - 1.0 * (near > 1.5) - 1e-2), g * (b < a)

    found = first(np.minimum, lambda g, a, b: backward(g, a, b)[:1], inputs, ("a",))

    assert (found["a"] == "loose-equality-mask") == (rule == "loose-equality-mask")


@pytest.mark.parametrize(("near", "wanted"), [(True, True), (False, False)])
def test_the_largest_and_the_smallest_of_a_slice_are_nearly_selected(near, wanted):
    x = np.array([[0.0, 0.2, 1.5, 3.0], [2.0, -1.0, 0.4, 1.9], [0.7, 2.2, -0.3, 1.2]])

    def backward(g, x):
        top, low = x.max(1, keepdims=True), x.min(1, keepdims=True)
        high = x > top - 0.25 if near else (x == top) | (x == 1.5) | (x == 0.4)
        return (g[:, None] * (high * 1.0 - ((x < low + 0.25) if near else (x == low))),)

    found = first(lambda x: x.max(1) - x.min(1), backward, {"x": x})

    assert (found["x"] == "loose-equality-mask") is wanted


def test_a_sign_that_is_lost_is_a_sign():
    flips = first(lambda x: np.abs(x) ** 3, lambda g, x: (3 * g * x * x,), {"x": X})
    scale = first(lambda x: np.abs(2 * x) ** 3, lambda g, x: (3 * g * np.abs(2 * x) ** 2,), {"x": X})

    assert flips["x"] == "sign-error-in-one-branch"
    assert scale["x"] != "sign-error-in-one-branch"


# ---------------------------------------------------------------------------------------------------------------
# uses and directions


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize(
    ("hidden", "rule"),
    [
        pytest.param(np.tanh, "reused-input-not-accumulated", id="tied weights"),
        pytest.param(softmax, "factor-treated-as-constant", id="weights of an average"),
    ],
)
def test_a_matrix_that_is_used_twice_is_told_from_a_detached_average(hidden, rule):
    def forward(E, x):
        return hidden(x @ E.T) @ E

    def backward(g, E, x):
        return (hidden(x @ E.T).T @ g,)

    assert first(forward, backward, {"E": random(4, 3), "x": random(5, 3)}, ("E",))["E"] == rule


@pytest.mark.parametrize(("lost", "rule"), [(1.0, "reused-input-not-accumulated"), (0.6, "mismatch")])
def test_the_last_use_of_a_matrix_is_missing(lost, rule):
    def forward(W, x):
        return W @ np.sin(W @ x)

    def backward(g, W, x):
        z = W @ x
        return (np.outer(W.T @ g * np.cos(z), x) + (1 - lost) * np.outer(g, np.sin(z)),)

    assert first(forward, backward, {"W": random(3, 3), "x": random(3)}, ("W",))["W"] == rule


@pytest.mark.parametrize(("scan", "rule"), [(True, "scan-direction-not-reversed"), (False, "transposed-jacobian")])
def test_a_triangle_is_a_scan_only_where_it_hands_a_state_on(scan, rule):
    p = np.tril(np.outer(np.exp(random(4)), np.exp(random(4, 1).ravel())) if scan else np.abs(random(4, 4)) + 0.1)

    found = first(lambda x, p: p @ x, lambda g, x, p: (p @ g,), {"x": random(4, 2), "p": p})

    assert found["x"] == rule


@pytest.mark.parametrize(("size", "rule"), [((3, 2), "height-width-swapped"), ((1, 6), None)])
def test_exchanged_factors_of_an_upsampling_read_the_upstream_in_another_shape(size, rule):
    def forward(x, sh, sw):
        return np.repeat(np.repeat(x, sh, 0), sw, 1)

    def backward(g, x, sh, sw):
        h, w = x.shape
        return (g.reshape(h, size[0], w, size[1]).sum((1, 3)),)

    found = first(forward, backward, {"x": random(2, 4)}, options={"sh": 2, "sw": 3})

    assert (found["x"] == "height-width-swapped") == (rule is not None)


@pytest.mark.parametrize(("rest", "rule"), [(1.0, "ddof-mismatch"), (1.11, "mismatch")])
def test_the_variance_path_alone_divides_by_degrees_of_freedom(rest, rule):
    def forward(x, eps):
        return (x - x.mean(0)) / np.sqrt(x.var(0) + eps)

    def backward(g, x, eps):
        r, c = 1 / np.sqrt(x.var(0) + eps), x - x.mean(0)
        return (r * (g - g.mean(0)) - rest * c * r**3 * (g * c).sum(0) / (len(x) - 1),)

    found = first(forward, backward, {"x": 0.1 * random(5, 3)}, options={"eps": 1e-2})

    assert found["x"] == rule


@pytest.mark.parametrize("wanted", [True, False])
def test_entries_above_positions_are_picked_twice_as_those_below(wanted):
    inputs = {"x": random(6), "u": np.array([0.3, 1.75, 1.2, 4.6, 1.4])}

    def forward(x, u):
        i = np.floor(u).astype(int)
        return (1 - u + i) * x[i] + (u - i) * x[i + 1]

    def backward(g, x, u):
        i = np.floor(u).astype(int)
        dx = np.zeros_like(x)
        np.add.at(dx, i, g * (1 - u + i))
        if wanted:
            dx[i + 1] += g * (u - i)
        else:
            np.add.at(dx, i[::2] + 1, (g * (u - i))[::2])
        return (dx,)

    assert (first(forward, backward, inputs)["x"] == "duplicate-index-overwrite") is wanted


@pytest.mark.parametrize(("name", "rule"), [("E", "duplicate-index-overwrite"), ("P", "loop-overwrites-accumulator")])
def test_what_lies_beside_a_lookup_is_not_indexed(name, rule):
    inputs = {"E": random(4, 3), "P": random(4, 3), "i": np.array([[0, 2, 2, 3], [1, 1, 3, 0]])}

    def backward(g, E, P, i):
        dE = np.zeros_like(E)
        dE[i] += g
        return (dE if name == "E" else g[-1],)

    assert first(lambda E, P, i: E[i] + P, backward, inputs, (name,))[name] == rule


@pytest.mark.parametrize(("step", "wanted"), [(3 / 6, True), (0.9, False)])
def test_one_axis_of_a_resize_is_read_at_the_step_of_the_other(step, wanted):
    def places(x):
        return np.arange(6) * x.shape[0] // 6, np.arange(7) * x.shape[1] // 7

    def forward(x):
        i, j = places(x)
        return x[i][:, j]

    def backward(g, x):
        i, _ = places(x)
        dx = np.zeros_like(x)
        np.add.at(dx, (i[:, None], np.minimum((np.arange(7) * step).astype(int), x.shape[1] - 1)[None]), g)
        return (dx,)

    assert (first(forward, backward, {"x": random(3, 5)})["x"] == "height-width-swapped") is wanted


@pytest.mark.parametrize(
    ("forward", "rule"),
    [
        (np.tanh, "derivative-of-another-function"),
        (lambda x: x / (1 + np.exp(-x)), "derivative-of-another-function"),
        (lambda x: x**2, "derivative-of-another-function"),
        (lambda x: np.clip(x, -0.7, 0.7), "saturation-mask-missing"),
        (lambda x: 3.0 * x, None),
    ],
)
def test_an_upstream_that_is_passed_on_is_the_derivative_of_the_identity_but_for_masks_and_factors(forward, rule):
    found = first(forward, lambda g, x: (g,), {"x": random(4, 5)})["x"]

    assert (found == rule) if rule else (found != "derivative-of-another-function")
