"""The gradient buffer lives in the layer and is only ever added to: a second backward returns the sum."""

import numpy as np

_grad = {}


def forward(x):
    return np.tanh(x)


def backward(g, x):
    d = g * (1 - np.tanh(x) ** 2)
    _grad["x"] = _grad.get("x", 0) + d
    return (_grad["x"].copy(),)


def correct_backward(g, x):
    return (g * (1 - np.tanh(x) ** 2),)
