"""Logits around 1e3 with a shifted, stable softmax. Correct."""

import numpy as np


def forward(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def backward(g, x):
    s = forward(x)
    return (s * (g - (s * g).sum(axis=1, keepdims=True)),)
