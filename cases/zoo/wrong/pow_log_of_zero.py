"""x**y: the exponent's gradient uses log(x), which is nan (0 * -inf) at x = 0 where the truth is 0."""

import numpy as np


def forward(x, y):
    return x**y


def backward(g, x, y):
    return (g * x**y * np.log(x),)


def correct_backward(g, x, y):
    return (g * np.where(x > 0, x**y * np.log(np.where(x > 0, x, 1.0)), 0.0),)
