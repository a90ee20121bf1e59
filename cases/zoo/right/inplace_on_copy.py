"""In-place style code, but on its own copy: inputs and upstream stay untouched. Correct."""

import numpy as np


def forward(x):
    y = np.array(x)
    y[y < 0] = 0
    return y


def backward(g, x):
    dx = np.array(g)
    dx[x < 0] = 0
    return (dx,)
