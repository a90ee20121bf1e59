"""Softmax of x/T; the backward forgets the inner 1/T."""

import numpy as np


def forward(x, T=2.5):
    z = x / T
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def backward(g, x, T=2.5):
    p = forward(x, T)
    return (p * (g - (p * g).sum(-1, keepdims=True)),)


def correct_backward(g, x, T=2.5):
    p = forward(x, T)
    return (p * (g - (p * g).sum(-1, keepdims=True)) / T,)
