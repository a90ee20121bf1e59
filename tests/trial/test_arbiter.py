"""Other witnesses: asked for, or called where central differences cannot decide."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.errors import UsageError
from gradcheck.layers.build import wrap
from gradcheck.model import Report, Settings
from gradcheck.trial.trial import try_layer

X = np.random.default_rng(2).standard_normal((3, 4))


def try_pair(forward, backward, inputs, reference=None, **settings) -> Report:
    layer = wrap(forward, backward, inputs=tuple(inputs))
    return try_layer(layer, inputs, settings=Settings(**settings), reference=reference)


def softmax(x):
    e = np.exp(x - np.max(x.real, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_backward(g, x):
    s = softmax(x)
    return (s[:, :, None] * s[:, None, :] * (g[:, :, None] - g[:, None, :])).sum(-1)


@pytest.mark.parametrize("method", ["central", "one-sided", "richardson", "complex-step"])
def test_methods_agree_on_what_is_right_and_what_is_wrong(method):
    assert try_pair(softmax, softmax_backward, {"x": X}, method=method).verdict == "pass"
    wrong = try_pair(softmax, lambda g, x: 1.001 * softmax_backward(g, x), {"x": X}, method=method)
    assert wrong.verdict == "fail"


def test_complex_step_that_the_layer_drops():
    with pytest.raises(UsageError, match=r"the complex step cannot be used: .*disagrees with central differences"):
        try_pair(lambda x: np.tanh(x.real), lambda g, x: g, {"x": X}, method="complex-step")


def test_complex_step_that_the_layer_refuses():
    def forward(x):
        if np.iscomplexobj(x):
            raise TypeError("no complex numbers here")
        return np.tanh(x)

    with pytest.raises(UsageError, match="no complex numbers here"):
        try_pair(forward, lambda g, x: g, {"x": X}, method="complex-step")


def test_another_implementation():
    reference = wrap(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), inputs=("x",))

    right = try_pair(np.tanh, lambda g, x: g / np.cosh(x) ** 2, {"x": X}, reference, method="reference")
    wrong = try_pair(np.tanh, lambda g, x: g / np.cosh(x), {"x": X}, reference, method="reference")

    assert right.verdict == "pass"
    assert wrong.verdict == "fail"


def test_saturated_gradients_are_compared_at_a_tamer_point():
    report = try_pair(softmax, softmax_backward, {"x": 60 * np.array([[1.0, 0.1, 0.2], [0.3, 1.0, 0.1]])})

    assert report.verdict == "pass"
    assert "too small to be resolved" in report.notes[0]


def test_a_wrong_backward_is_not_cleared_at_the_tamer_point():
    x = 60 * np.array([[1.0, 0.1, 0.2], [0.3, 1.0, 0.1]])

    report = try_pair(softmax, lambda g, x: softmax(x) * (1 - softmax(x)) * g, {"x": x})

    assert report.verdict in ("undecided", "fail")
