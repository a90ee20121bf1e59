"""dx = np.zeros_like(x) with an integer x: every gradient is truncated towards zero."""

import numpy as np


def forward(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _fill(g, x, dx):
    s = forward(x)
    for i in range(len(x)):
        dx[i] = s[i] * (g[i] - s[i] @ g[i])
    return dx


def backward(g, x):
    return (_fill(g, x, np.zeros_like(x)),)


def correct_backward(g, x):
    return (_fill(g, x, np.zeros(x.shape)),)
