"""LayerNorm of rows with standard deviation 1e-4 and eps 1e-5: strongly curved, gradients of order 1e2. Correct."""

import numpy as np


def forward(x):
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)


def backward(g, x):
    inv = 1 / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    xh = (x - x.mean(1, keepdims=True)) * inv
    return (inv * (g - g.mean(1, keepdims=True) - xh * (g * xh).mean(1, keepdims=True)),)
