"""Weights that are drawn, without a seed, each time that the module is executed."""

import numpy as np

W = np.random.default_rng().standard_normal((3, 2))


def forward(x):
    return x @ W


def backward(g, x):
    return g @ W.T
