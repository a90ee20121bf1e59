"""Softmax whose backward keeps only the diagonal of the Jacobian, s*(1-s)*g."""

import numpy as np


def forward(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def backward(g, x):
    s = forward(x)
    return (g * s * (1.0 - s),)


def correct_backward(g, x):
    s = forward(x)
    return (s * (g - (g * s).sum(axis=1, keepdims=True)),)
