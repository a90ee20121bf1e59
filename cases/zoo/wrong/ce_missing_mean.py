"""Softmax cross-entropy averaged over the batch; the backward forgets 1/N."""

import numpy as np


def _p(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def forward(z, y):
    return -np.mean(np.log(_p(z)[np.arange(len(y)), y]))


def backward(g, z, y):
    d = _p(z)
    d[np.arange(len(y)), y] -= 1
    return (g * d,)


def correct_backward(g, z, y):
    d = _p(z)
    d[np.arange(len(y)), y] -= 1
    return (g * d / len(y),)
