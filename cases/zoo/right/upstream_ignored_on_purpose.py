"""A function that does not depend on one of its inputs: that gradient is exactly zero. Correct."""

import numpy as np


def forward(a, b):
    return np.where(a > 0, a * a, b)


def backward(g, a, b):
    c = a > 0
    return np.where(c, 2 * a * g, 0.0), np.where(c, 0.0, g)
