"""Each contract check with a layer that breaks it, and one that does not."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.layers import Gradients, Mismatch
from gradcheck.model import Report, Severity

RNG = np.random.default_rng(5)
X = RNG.standard_normal((3, 4))


def tanh(x):
    return np.tanh(x)


def tanh_backward(g, x):
    return g * (1 - np.tanh(x) ** 2)


def rules(report: Report, severity: Severity | None = None) -> list[str]:
    return [f.rule for f in report.findings if severity is None or f.severity is severity]


def test_a_right_layer_has_no_finding():
    report = gradcheck.check(tanh, tanh_backward, {"x": X})

    assert report.verdict == "pass"
    assert report.findings == []


@pytest.mark.parametrize(
    ("backward", "rule"),
    [
        pytest.param(lambda g, x: (g * (1 - np.tanh(x) ** 2)).sum(0), "wrong-shape", id="shape"),
        pytest.param(lambda g, x: (tanh_backward(g, x), g, g), "wrong-number-of-gradients", id="number"),
        pytest.param(lambda g, x: np.full(x.shape, "a"), "not-an-array", id="kind"),
        pytest.param(
            lambda g, x: np.where(x == x[0, 0], np.nan, tanh_backward(g, x)), "nan-at-special-point", id="nan"
        ),
    ],
)
def test_what_is_returned(backward, rule):
    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "fail"
    assert rule in rules(report, Severity.BUG)


PRODUCT = np.array([[1.0, 2.0, 0.0, 3.0], [1.5, -2.0, 1.0, 0.5]])


@pytest.mark.parametrize(
    ("forward", "backward", "rule"),
    [
        pytest.param(
            lambda x: x.prod(1), lambda g, x: (g * x.prod(1))[:, None] / x, "division-by-input-at-zero", id="product"
        ),
        pytest.param(
            lambda x: np.sqrt((x[:, 2:3] ** 2).sum(1)) + x.sum(1),
            lambda g, x: g[:, None] * (1 + x / np.abs(x) * (np.arange(4) == 2)),
            "nan-at-special-point",
            id="norm",
        ),
    ],
)
def test_a_factor_of_zero_is_told_from_other_special_points(forward, backward, rule):
    report = gradcheck.check(forward, backward, {"x": PRODUCT})

    assert report.findings[0].rule == rule


@pytest.mark.parametrize(
    ("rule", "given", "said"),
    [
        ("wrong-number-of-gradients", "", "return one gradient per differentiated input"),
        ("missing-input-gradient", "", "return its gradient, or leave it out of wrt"),
        ("derivative-of-another-function", "", ""),
        ("missing-input-gradient", "call backward() first", "call backward() first"),
    ],
)
def test_what_a_layer_knows_of_the_remedy_is_said(rule, given, said):
    class Knowing:
        name, inputs, options, defaults, source = "knowing", ("x",), (), {}, None

        def forward(self, inputs, options):
            return (inputs["x"] ** 2,)

        def vjp(self, upstream, inputs, outputs, options, wrt):
            return Gradients({"x": 2 * inputs["x"] * upstream[0]}, [Mismatch(rule, "message", "x", given)])

        def fresh(self):
            return Knowing()

    report = gradcheck.check(Knowing(), inputs={"x": np.array([1.0, 2.0])})

    (finding,) = (each for each in report.findings if each.rule == rule)
    assert (finding.message, finding.remedy, finding.wrt) == ("message", said, "x")


def test_changed_input():
    def backward(g, x):
        y = np.tanh(x)
        x *= 0
        return g * (1 - y**2)

    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG) == ["mutates-input"]


def test_input_changed_by_the_forward():
    def forward(x):
        x -= x.max()
        return np.exp(x) / np.exp(x).sum()

    def backward(g, x):
        s = np.exp(x - x.max()) / np.exp(x - x.max()).sum()
        return s * (g - (g * s).sum())

    report = gradcheck.check(forward, backward, {"x": X})

    assert rules(report, Severity.BUG) == ["mutates-input"]


def test_step_taken_inside_the_backward():
    def backward(g, x, W):
        dW = x.T @ g
        W -= 0.1 * dW
        return g @ W.T, dW

    w = RNG.standard_normal((4, 2))

    report = gradcheck.check(lambda x, W: x @ W, backward, {"x": X, "W": w})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG)[0] == "uses-updated-parameters"
    assert report.findings[0].wrt == "x"


def test_changed_upstream():
    def backward(g, x):
        g *= 1 - np.tanh(x) ** 2
        return g.copy()

    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG) == ["mutates-upstream"]


@pytest.mark.parametrize(
    ("backward", "rule"),
    [
        pytest.param(lambda g, x: tanh_backward(np.maximum(g, 0), x), "nonlinear-in-upstream", id="rectified"),
        pytest.param(lambda g, x: tanh_backward(g, x) * g, "upstream-applied-twice", id="squared"),
        pytest.param(lambda g, x: tanh_backward(g, x) + 0.3, "additive-constant-offset", id="offset"),
        pytest.param(lambda g, x: tanh_backward(np.ones_like(g), x), "ignored-upstream", id="ignored"),
    ],
)
def test_linearity(backward, rule):
    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG) == [rule]


def test_accumulation_over_calls():
    kept = {}

    def backward(g, x):
        kept["dx"] = kept.get("dx", 0) + tanh_backward(g, x)
        return kept["dx"].copy()

    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG)[0] == "accumulates-across-calls"


def test_stale_cache():
    kept = {}

    def forward(x):
        kept.setdefault("y", np.tanh(x))
        return np.tanh(x)

    report = gradcheck.check(forward, lambda g, x: g * (1 - kept["y"] ** 2), {"x": X})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG)[0] == "stale-forward-cache"


def test_cache_that_each_forward_renews_is_right():
    kept = {}

    def forward(x):
        kept["y"] = np.tanh(x)
        return kept["y"]

    report = gradcheck.check(forward, lambda g: g * (1 - kept["y"] ** 2), {"x": X})

    assert report.verdict == "pass"
    assert report.findings == []


def test_mask_drawn_again_in_backward():
    rng = np.random.default_rng(0)

    def backward(g, x):
        return tanh_backward(g, x) * (rng.random(x.shape) > 0.5)

    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG)[0] == "randomness-resampled-in-backward"


def test_mask_drawn_again_from_the_global_state():
    def forward(x):
        return x * (np.random.random(x.shape) > 0.5)

    def backward(g, x):
        return g * (np.random.random(x.shape) > 0.5)

    state = np.random.get_state()[1].copy()
    report = gradcheck.check(forward, backward, {"x": X})

    assert report.verdict == "fail"
    assert "randomness-resampled-in-backward" in rules(report, Severity.BUG)
    assert np.array_equal(np.random.get_state()[1], state)


def test_forward_that_draws_and_keeps_its_mask_is_right():
    kept = {}

    def forward(x):
        kept["mask"] = np.random.random(x.shape) > 0.5
        return np.sin(x) * kept["mask"]

    report = gradcheck.check(forward, lambda g, x: g * np.cos(x) * kept["mask"], {"x": X})

    assert report.verdict == "pass"
    assert rules(report) == ["nondeterministic-forward"]
    assert report.findings[0].severity is Severity.NOTE


def test_strides():
    def backward(g, x):
        flat = np.frombuffer(np.ascontiguousarray(g).tobytes() if g.flags.c_contiguous else g.tobytes("A"))
        return flat.reshape(x.shape) * (1 - np.tanh(x) ** 2)

    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG) == ["non-contiguous"]


def softmax_unshifted(x):
    e = np.exp(x)
    return e / e.sum(1, keepdims=True)


def test_overflow_is_a_warning():
    def backward(g, x):
        s = softmax_unshifted(x)
        return s * (g - (g * s).sum(1, keepdims=True))

    report = gradcheck.check(softmax_unshifted, backward, {"x": X})

    assert report.verdict == "pass"
    assert rules(report, Severity.WARNING) == ["overflow-in-forward"]


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        pytest.param(np.exp, lambda g, x: g * np.exp(x), id="rightly infinite"),
        pytest.param(
            lambda x: np.arccos(x / 9), lambda g, x: -g / np.sqrt(81 - x**2), id="outside the domain, no overflow"
        ),
    ],
)
def test_what_is_no_overflow(forward, backward):
    report = gradcheck.check(forward, backward, {"x": X})

    assert report.verdict == "pass"
    assert report.findings == []


def test_underflow_on_tiny_upstreams():
    def backward(g, x):
        return g.astype(np.float16).astype(float) * (1 - np.tanh(x) ** 2)

    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG) == ["low-precision-underflow"]


def softmax_shifted(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def softmax_backward(g, x):
    s = softmax_shifted(x)
    return s * (g - (g * s).sum(1, keepdims=True))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        pytest.param(lambda x: 3 * x, lambda g, x: 3 * g, id="linear"),
        pytest.param(tanh, tanh_backward, id="tanh"),
        pytest.param(softmax_shifted, softmax_backward, id="softmax"),
        pytest.param(lambda x: x.mean(), lambda g, x: np.full_like(x, g / x.size), id="mean"),
    ],
)
def test_half_precision_inputs_cannot_hold_a_tiny_upstream(forward, backward, seed):
    report = gradcheck.check(forward, backward, {"x": X.astype(np.float16)}, seed=seed)

    assert report.verdict in ("pass", "undecided")
    assert rules(report, Severity.BUG) == []


def test_a_wrong_layer_in_half_precision_fails():
    report = gradcheck.check(lambda x: 3 * x, lambda g, x: 6 * g, {"x": X.astype(np.float16)})

    assert report.verdict == "fail"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_half_precision_inside_the_backward_is_named(dtype):
    def backward(g, x):
        return (3 * g.astype(np.float16)).astype(x.dtype)

    report = gradcheck.check(lambda x: 3 * x, backward, {"x": X.astype(dtype)})

    assert report.verdict == "fail"
    assert rules(report, Severity.BUG)[0] == "low-precision-underflow"


def test_single_precision_inside_the_backward_is_a_warning():
    def backward(g, x):
        y = np.tanh(x.astype(np.float32))
        return (g.astype(np.float32) * (1 - y**2)).astype(np.float64)

    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "pass"
    assert rules(report) == ["low-precision-backward"]


def test_a_layer_that_raises():
    def backward(g, x):
        raise ValueError("no idea")

    report = gradcheck.check(tanh, backward, {"x": X})

    assert report.verdict == "error"
    assert "ValueError" in report.error
    assert "no idea" in report.error


def test_a_layer_that_gives_up_after_a_while():
    calls = []

    def forward(x):
        calls.append(1)
        if len(calls) > 30:
            raise RuntimeError("out of patience")
        return np.tanh(x)

    report = gradcheck.check(forward, tanh_backward, {"x": X})

    assert report.verdict == "error"
    assert "out of patience" in report.error


def test_a_domain_that_ends_near_the_inputs():
    def forward(x):
        if np.any(x <= 0):
            raise ValueError("logarithm of a negative number")
        return np.log(x)

    report = gradcheck.check(forward, lambda g, x: g / x, {"x": np.array([1e-9, 0.5, 2.0])})

    assert report.verdict == "pass"


@pytest.mark.parametrize("seed", range(4))
def test_a_domain_that_ends_just_beyond_the_inputs(seed):
    x = np.array([[0.95, -0.97, 0.3], [0.96, 0.1, -0.99]])

    report = gradcheck.check(np.arctanh, lambda g, x: g / (1 - x**2), {"x": x}, seed=seed)

    assert report.verdict == "pass"
    assert not rules(report, Severity.BUG)


def test_a_forward_without_a_finite_output_is_undecided():
    x = np.array([-1.0, -2.0])

    report = gradcheck.check(lambda x: np.log(x).sum(), lambda g, x: g / x, {"x": x})

    assert report.verdict == "undecided"
    assert rules(report) == ["non-finite-output"]


def test_the_upstream_is_not_the_input_drawn_from_the_same_seed():
    x = np.random.default_rng(0).standard_normal((3, 4))

    def forward(x):
        return x / np.linalg.norm(x)

    def backward(g, x):
        assert not np.array_equal(g, x)
        y = forward(x)
        return (g - y * (g * y).sum()) / np.linalg.norm(x)

    assert gradcheck.check(forward, backward, {"x": x}, seed=0).verdict == "pass"


def test_zero_everywhere_is_undecided():
    report = gradcheck.check(tanh, tanh_backward, {"x": X}, upstream=np.zeros((3, 4)))

    assert report.verdict == "undecided"


def test_one_zero_gradient_among_others_is_no_harm():
    report = gradcheck.check(
        lambda x, unused: np.tanh(x), lambda g, x, unused: (tanh_backward(g, x), np.zeros(unused.shape)),
        {"x": X, "unused": X},
    )  # fmt: skip

    assert report.verdict == "pass"


def test_tied_maxima():
    def forward(x):
        return x.max(1)

    def split(g, x):
        mask = x == x.max(1, keepdims=True)
        return g[:, None] * mask / mask.sum(1, keepdims=True)

    def first(g, x):
        return g[:, None] * (np.arange(x.shape[1]) == x.argmax(1)[:, None])

    def both(g, x):
        return g[:, None] * (x == x.max(1, keepdims=True))

    x = np.array([[1.0, 2.0, 2.0], [0.5, 0.1, 0.2]])

    assert gradcheck.check(forward, split, {"x": x}).verdict == "pass"
    assert gradcheck.check(forward, first, {"x": x}).verdict == "pass"
    assert gradcheck.check(forward, both, {"x": x}).verdict == "fail"
