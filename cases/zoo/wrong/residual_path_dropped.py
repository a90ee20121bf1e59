"""y = x + tanh(x W): the identity path's gradient is forgotten (input used twice, one use counted)."""

import numpy as np


def forward(x, W):
    return x + np.tanh(x @ W)


def backward(g, x, W):
    d = g * (1 - np.tanh(x @ W) ** 2)
    return d @ W.T, x.T @ d


def correct_backward(g, x, W):
    d = g * (1 - np.tanh(x @ W) ** 2)
    return g + d @ W.T, x.T @ d
