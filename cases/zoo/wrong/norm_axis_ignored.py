"""Row norms in the forward, total Frobenius norm in the backward."""

import numpy as np


def forward(x, axis=1):
    return np.linalg.norm(x, axis=axis)


def backward(g, x, axis=1):
    return (np.expand_dims(g, axis) * x / np.linalg.norm(x),)


def correct_backward(g, x, axis=1):
    return (np.expand_dims(g, axis) * x / np.linalg.norm(x, axis=axis, keepdims=True),)
