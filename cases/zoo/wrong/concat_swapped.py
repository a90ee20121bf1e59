"""concat(a, b): the two slices of the upstream are returned in the wrong order."""

import numpy as np


def forward(a, b):
    return np.concatenate([a, b], axis=1)


def backward(g, a, b):
    k = b.shape[1]
    return g[:, k:], g[:, :k]


def correct_backward(g, a, b):
    k = a.shape[1]
    return g[:, :k], g[:, k:]
