"""Right values, but the mask is written into the caller's upstream array."""

import numpy as np


def forward(x):
    return np.maximum(x, 0)


def backward(g, x):
    g[x <= 0] = 0
    return (g,)


def correct_backward(g, x):
    d = g.copy()
    d[x <= 0] = 0
    return (d,)
