"""PReLU with one slope per channel: the slope gradient is returned unreduced, with the activation's shape."""

import numpy as np


def forward(x, a):
    return np.where(x > 0, x, a * x)


def backward(g, x, a):
    return g * np.where(x > 0, 1.0, a), g * np.where(x > 0, 0.0, x)


def correct_backward(g, x, a):
    return g * np.where(x > 0, 1.0, a), (g * np.where(x > 0, 0.0, x)).sum(axis=0)
