"""x*sigmoid(x): only the first term of the product rule."""

import numpy as np


def forward(x):
    return x / (1 + np.exp(-x))


def backward(g, x):
    return (g / (1 + np.exp(-x)),)


def correct_backward(g, x):
    s = 1 / (1 + np.exp(-x))
    return (g * (s + x * s * (1 - s)),)
