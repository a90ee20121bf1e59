"""Class-weighted NLL normalised by the sum of weights; the backward forgets the weights."""

import numpy as np


def _p(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def forward(z, y, w):
    wy = w[y]
    return -(wy * np.log(_p(z)[np.arange(len(y)), y])).sum() / wy.sum()


def backward(g, z, y, w):
    d = _p(z) - np.eye(z.shape[1])[y]
    return (g * d / len(y),)


def correct_backward(g, z, y, w):
    d = _p(z) - np.eye(z.shape[1])[y]
    wy = w[y]
    return (g * d * wy[:, None] / wy.sum(),)
