"""sum(axis=1) without keepdims: broadcast_to(g, x.shape) spreads the upstream along the wrong axis of a square input."""

import numpy as np


def forward(x, axis=1):
    return x.sum(axis=axis)


def backward(g, x, axis=1):
    return (np.broadcast_to(g, x.shape).copy(),)


def correct_backward(g, x, axis=1):
    return (np.broadcast_to(np.expand_dims(g, axis), x.shape).copy(),)
