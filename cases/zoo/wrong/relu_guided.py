"""ReLU backward also zeroes negative upstream values ('guided'): not linear in the upstream."""

import numpy as np


def forward(x):
    return np.maximum(x, 0)


def backward(g, x):
    d = g.copy()
    d[d < 0] = 0
    d[x <= 0] = 0
    return (d,)


def correct_backward(g, x):
    return (g * (x > 0),)
