"""RoPE backward applies the forward rotation again (sine not negated): a = J g."""

import numpy as np


def _rot(v, theta):
    c, s = np.cos(theta), np.sin(theta)
    return np.stack([v[:, 0] * c - v[:, 1] * s, v[:, 0] * s + v[:, 1] * c], axis=1)


def forward(x, theta):
    return _rot(x, theta)


def backward(g, x, theta):
    return (_rot(g, theta),)


def correct_backward(g, x, theta):
    return (_rot(g, -theta),)
