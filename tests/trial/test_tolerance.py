"""Tolerances that a person asks for: what is beyond them is wrong, however little, and what is within them is right."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.errors import UsageError

X = np.random.default_rng(3).standard_normal((4, 5))


def off_by(share):
    return lambda g, x: g * np.cos(x) * np.where(np.arange(x.size).reshape(x.shape) == 7, 1 + share, 1.0)


@pytest.mark.parametrize(
    ("share", "tolerance", "verdict"),
    [
        (1.5e-3, {"rtol": 1e-3}, "fail"),
        (1.1e-3, {"rtol": 1e-3}, "fail"),
        (0.9e-3, {"rtol": 1e-3}, "pass"),
        (0.3, {"rtol": 0.2}, "fail"),
        (0.3, {"rtol": 0.4}, "pass"),
        (0.3, {"atol": 1e-3}, "fail"),
        (0.3, {"atol": 10.0}, "pass"),
    ],
)
def test_they_decide(share, tolerance, verdict):
    report = gradcheck.check(np.sin, off_by(share), {"x": X}, **tolerance)

    assert report.verdict == verdict
    assert [finding.rule for finding in report.findings if verdict == "pass"] == []


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("rtol", [3.0, 10.0])
def test_what_they_allow_is_no_memory_of_other_inputs(rtol):
    def diagonal(g, x):
        s = softmax(x)
        return g * s * (1 - s)

    report = gradcheck.check(softmax, diagonal, {"x": X}, rtol=rtol)

    assert "stale-forward-cache" not in [finding.rule for finding in report.findings]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"rtol": -1}, "rtol is -1\n  = help: give a finite number from 0 on"),
        ({"rtol": float("nan")}, "rtol is nan\n  = help: give a finite number from 0 on"),
        ({"atol": float("inf")}, "atol is inf\n  = help: give a finite number from 0 on"),
        ({"eps": 0.0}, "eps is 0.0\n  = help: give a finite number above 0"),
        ({"seed": -1}, "seed is -1\n  = help: give a whole number from 0 on"),
        ({"seed": "a"}, "seed is 'a'\n  = help: give a whole number from 0 on"),
    ],
)
def test_what_makes_no_verdict_is_refused(argument, message):
    with pytest.raises(UsageError) as caught:
        gradcheck.check(np.sin, off_by(0), {"x": X}, **argument)

    assert str(caught.value) == message


@pytest.mark.parametrize("inputs", [X, {1: X}])
def test_inputs_without_names(inputs):
    with pytest.raises(UsageError, match=r"^inputs are given by their names"):
        gradcheck.check(np.sin, off_by(0), inputs)


def test_no_tolerance_at_all_is_one():
    report = gradcheck.check(np.sin, off_by(0), {"x": X}, rtol=0, atol=0.0)

    assert report.verdict == "pass"


@pytest.mark.parametrize("rtol", [0, 1e-12])
def test_agreement_is_not_said_to_be_closer_than_it_is(rtol):
    report = gradcheck.check(np.sin, lambda g, x: g * np.cos(x) * (1 + 3e-10), {"x": X}, rtol=rtol, atol=1e-3)

    assert report.verdict == "pass"
    assert 2e-10 < report.inputs[0].error < 1e-7
