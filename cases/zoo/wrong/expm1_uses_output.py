"""expm1 backward copied from exp: g * output instead of g * (output + 1)."""

import numpy as np


def forward(x):
    return np.expm1(x)


def backward(g, x):
    return (g * np.expm1(x),)


def correct_backward(g, x):
    return (g * (np.expm1(x) + 1),)
