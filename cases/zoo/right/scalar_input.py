"""0-d input, 0-d output, gradient returned as a Python float-like 0-d array. Correct."""

import numpy as np


def forward(x, a):
    return np.sin(a * x) / a


def backward(g, x, a):
    return np.asarray(g * np.cos(a * x)), np.asarray(g * (x * np.cos(a * x) / a - np.sin(a * x) / a**2))
