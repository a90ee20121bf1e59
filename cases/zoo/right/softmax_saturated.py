"""Saturated softmax: every gradient entry is about 1e-20. Correct."""

import numpy as np


def forward(x):
    e = np.exp(x - np.max(x.real, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def backward(g, x):
    s = forward(x)
    # g_i - sum_k s_k g_k written as sum_k s_k (g_i - g_k): no cancellation
    return ((s[:, :, None] * s[:, None, :] * (g[:, :, None] - g[:, None, :])).sum(-1).real,)
