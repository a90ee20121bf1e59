"""Weights that are drawn from the global random state."""

import numpy as np

W = np.random.standard_normal((3, 2))


def forward(x):
    return x @ W


def backward(g, x):
    return g @ W.T
