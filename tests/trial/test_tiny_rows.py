"""A row far smaller than its neighbours: the whole trial, with its other points and its naming."""

import numpy as np
import pytest

import gradcheck

ROWS = np.array([[1.0, 2.0, -1.0], [1.0, 2.0, 0.5], [3.0, -1.0, 1.0]])


def forward(x):
    return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)


def backward(g, x):
    y, s = forward(x), x.std(1, keepdims=True)
    return (g - g.mean(1, keepdims=True) - y * (g * y).mean(1, keepdims=True)) / s


def tiny_row_dropped(g, x):
    result = backward(g, x)
    result[x.std(1) < 1e-5] = 0.0
    return result


@pytest.mark.parametrize("mode", ["auto", "entries", "directions"])
@pytest.mark.parametrize("size", [1e-7, 1e-8, 1e-11])
def test_right_layer_passes(size, mode):
    x = ROWS * np.array([[size], [1.0], [1.0]])

    report = gradcheck.check(forward, backward, {"x": x}, mode=mode)

    assert report.verdict.value == "pass"
    assert report.findings == []


@pytest.mark.parametrize("mode", ["auto", "entries", "directions"])
@pytest.mark.parametrize("size", [1e-7, 1e-11])
def test_wrong_layer_does_not(size, mode):
    x = ROWS * np.array([[size], [1.0], [1.0]])

    report = gradcheck.check(forward, tiny_row_dropped, {"x": x}, mode=mode)

    assert report.verdict.value == "fail"
    assert report.findings
