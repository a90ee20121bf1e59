"""Functions that are flat between jumps: their true gradient is zero, whatever the height of a step."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.model import Verdict


def straight_through(g, x):
    return g


def coarse(x, bits):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.rint(mantissa * 2**bits) / 2**bits, exponent)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("height", [1 / 127, 0.02, 0.1, 1.0, 3.0])
def test_steps_of_any_height(height, seed):
    x = np.random.default_rng(seed).standard_normal((4, 5)) * max(1.0, 2 * height)
    report = gradcheck.check(lambda x: np.round(x / height) * height, straight_through, {"x": x}, seed=seed)

    assert report.verdict is Verdict.FAIL
    assert report.findings[0].rule == "straight-through-estimator"


@pytest.mark.parametrize(("height", "low", "high"), [(0.1, -8, 7), (0.02, -128, 127), (1 / 127, -128, 127)])
def test_steps_between_bounds(height, low, high):
    def quantise(x):
        return np.clip(np.round(x / height), low, high) * height

    report = gradcheck.check(quantise, straight_through, {"x": np.random.default_rng(0).standard_normal((4, 5))})

    assert report.verdict is Verdict.FAIL
    assert report.findings[0].rule == "straight-through-estimator"


@pytest.mark.parametrize("height", [0.02, 0.1, 1.0])
def test_the_zero_that_is_right_is_not_called_wrong(height):
    x = np.random.default_rng(0).standard_normal((4, 5))
    report = gradcheck.check(lambda x: np.round(x / height) * height, lambda g, x: 0 * g, {"x": x})

    assert report.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("inside", [True, False])
def test_rounding_to_few_bits_is_no_staircase(bits, inside):
    def tanh(x):
        return np.tanh(coarse(x, bits)) if inside else coarse(np.tanh(coarse(x, bits)), bits)

    for seed in range(3):
        x = np.random.default_rng(seed).standard_normal((3, 4))
        report = gradcheck.check(tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), {"x": x}, seed=seed)

        assert report.verdict in (Verdict.PASS, Verdict.UNDECIDED), str(report)


def test_a_function_that_is_flat_around_its_input_alone_is_no_staircase():
    # every input is negative, and moves beyond zero only in the widest table
    x = -np.random.default_rng(0).uniform(0.05, 0.3, (4, 5))
    right = gradcheck.check(lambda x: np.maximum(x, 0.0), lambda g, x: g * (x > 0), {"x": x})
    wrong = gradcheck.check(lambda x: np.maximum(x, 0.0), straight_through, {"x": x})

    assert right.verdict is Verdict.UNDECIDED  # zeros alone prove nothing
    assert wrong.verdict is Verdict.FAIL
