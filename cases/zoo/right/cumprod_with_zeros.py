"""cumprod with zeros in the input, computed without division. Correct."""

import numpy as np


def forward(x):
    return np.cumprod(x)


def backward(g, x):
    left = np.concatenate([[1.0], np.cumprod(x)[:-1]])
    tail = np.zeros_like(g)
    acc = 0.0
    for i in range(len(x) - 1, -1, -1):
        acc = g[i] + (x[i + 1] * acc if i + 1 < len(x) else 0.0)
        tail[i] = acc
    return (left * tail,)
