"""The forward subtracts the row maximum IN PLACE, so the caller's x changes."""

import numpy as np


def forward(x):
    x -= x.max(axis=1, keepdims=True)
    e = np.exp(x)
    return e / e.sum(axis=1, keepdims=True)


def backward(g, x):
    s = forward(x)
    return (s * (g - (g * s).sum(axis=1, keepdims=True)),)


def correct_backward(g, x):
    s = forward(x.copy())
    return (s * (g - (g * s).sum(axis=1, keepdims=True)),)
