"""s*(eye(batch)-s)*g: sample index confused with class index; only runs when the batch is square (or 1)."""

import numpy as np


def forward(x):
    ex = np.exp(x - np.max(x, axis=1, keepdims=True))
    return ex / np.sum(ex, axis=1, keepdims=True)


def backward(g, x):
    data = forward(x)
    local = data * (np.eye(data.shape[0]) - data)
    return (g * local,)


def correct_backward(g, x):
    data = forward(x)
    inner = np.sum(g * data, axis=1, keepdims=True)
    return (data * (g - inner),)
