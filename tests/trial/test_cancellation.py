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
