"""Outputs of size 1e-12: an absolute tolerance would accept anything, a relative one must still accept this. Correct."""

import numpy as np


def forward(x):
    return 1e-12 * np.tanh(x)


def backward(g, x):
    return (1e-12 * g * (1 - np.tanh(x) ** 2),)
