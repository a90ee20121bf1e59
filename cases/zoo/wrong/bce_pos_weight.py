"""BCE with logits and pos_weight; the backward multiplies the whole (sigma - t) by pos_weight."""

import numpy as np


def _softplus(v):
    return np.maximum(v, 0) + np.log1p(np.exp(-np.abs(v)))


def forward(x, t, pos_weight=3.0):
    return np.mean(pos_weight * t * _softplus(-x) + (1 - t) * _softplus(x))


def backward(g, x, t, pos_weight=3.0):
    s = 1 / (1 + np.exp(-x))
    return (g * pos_weight * (s - t) / x.size,)


def correct_backward(g, x, t, pos_weight=3.0):
    s = 1 / (1 + np.exp(-x))
    return (g * (-pos_weight * t * (1 - s) + (1 - t) * s) / x.size,)
