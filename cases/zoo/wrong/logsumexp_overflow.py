"""Stable forward, unshifted exp in the backward: inf/inf = nan for large logits."""

import numpy as np


def forward(x):
    m = x.max(axis=1, keepdims=True)
    return np.log(np.exp(x - m).sum(axis=1)) + m[:, 0]


def backward(g, x):
    e = np.exp(x)
    return (g[:, None] * e / e.sum(axis=1, keepdims=True),)


def correct_backward(g, x):
    return (g[:, None] * np.exp(x - forward(x)[:, None]),)
