"""Gradients in single precision whose terms cancel: what is left of them is rounding, and no bug."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def backward(g, x):
    s = softmax(x)
    return ((s * (g - (g * s).sum(1, keepdims=True))).astype(x.dtype),)


def logits(seed, scale):
    return (scale * np.random.default_rng(seed).standard_normal((3, 5))).astype(np.float32)


# seeds at which s (g - sum g s) is left with 1e-7 of g, for s that is 1 but for that
@pytest.mark.parametrize("seed", [2, 3, 5, 8, 24, 33, 38, 51])
def test_saturated_rows_in_single_precision_are_not_wrong(seed):
    report = gradcheck.check(softmax, backward, {"x": logits(seed, 20)}, seed=seed)

    assert report.verdict != "fail"
    assert [finding.rule for finding in report.findings if finding.severity == "bug"] == []


@pytest.mark.parametrize("scale", [1, 4])
@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (lambda g, x: (backward(g, x)[0] * np.float32(1.01),), "mismatch"),
        (lambda g, x: ((g * softmax(x) * (1 - softmax(x))).astype(np.float32),), "diagonal-only-jacobian"),
    ],
)
def test_wrong_ones_fail(wrong, rule, scale):
    report = gradcheck.check(softmax, wrong, {"x": logits(1, scale)})

    assert report.verdict == "fail"
    assert report.findings[0].rule == rule


def test_what_cancels_in_double_precision_is_measured_as_before():
    x = logits(2, 20).astype(np.float64)

    report = gradcheck.check(softmax, lambda g, x: (backward(g, x)[0] * 1.01,), {"x": x})

    assert report.verdict == "fail"


def deviations(x):
    return x - x.mean(-1, keepdims=True)


@pytest.mark.parametrize("seed", [1, 5])
@pytest.mark.parametrize(("share", "verdict"), [(1.0, "pass"), (1.004, "fail")])
def test_an_offset_of_a_hundred_deviations_costs_digits_in_single_precision(seed, share, verdict):
    x = (100 + np.random.default_rng(seed).standard_normal((3, 5))).astype(np.float32)

    def backward(g, x):
        return (np.asarray(share * 2 / 5 * np.asarray(g, np.float32)[:, None] * deviations(x), np.float32),)

    report = gradcheck.check(lambda x: x.var(-1), backward, {"x": x}, seed=seed)

    assert report.verdict == verdict


def tanh_backward(g, x):
    return (np.asarray(g * (1 - np.tanh(x) ** 2), np.float32),)


def only_in_single(g, x):
    share = 1.01 if x.dtype == np.float32 else 1.0
    return (np.asarray(share * tanh_backward(g, x)[0], np.float32),)


@pytest.mark.parametrize(("seed", "scale"), [(2, 40), (3, 40), (4, 1000)])
def test_one_that_is_right_in_double_precision_is_wrong_in_single_by_rounding_alone(seed, scale):
    assert gradcheck.check(np.tanh, tanh_backward, {"x": logits(seed, scale)}, seed=seed).verdict == "pass"


def test_one_that_is_wrong_in_single_precision_by_more_than_rounding_fails():
    assert gradcheck.check(np.tanh, only_in_single, {"x": logits(4, 1000)}, seed=4).verdict == "fail"


def normalise(x):
    deviation = np.sqrt(x.var(0, keepdims=True) + x.dtype.type(1e-5))
    return (x - x.mean(0, keepdims=True)) / deviation, deviation


@pytest.mark.parametrize(("share", "verdict"), [(1.0, "undecided"), (1.01, "fail")])
def test_columns_that_hardly_vary_about_a_hundred(share, verdict):
    def backward(g, x):
        h, deviation = normalise(x)
        g = np.asarray(share * np.asarray(g), np.float32)
        return (np.asarray((g - g.mean(0) - h * (g * h).mean(0)) / deviation, np.float32),)

    x = (100 + np.random.default_rng(2).standard_normal((3, 5))).astype(np.float32)

    report = gradcheck.check(lambda x: normalise(x)[0], backward, {"x": x}, seed=2)

    assert report.verdict == verdict
