"""Softmax with an all-ones upstream: the true gradient is exactly zero."""

import numpy as np


def forward(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def backward(g, x):
    s = forward(x)
    return (s * (g - np.sum(s * g, axis=1, keepdims=True)),)
