"""Cross-entropy on probabilities with p as small as 1e-9: gradients as large as 1e9. Correct."""

import numpy as np


def forward(p, t):
    return np.mean(-np.sum(t * np.log(p), axis=1))


def backward(g, p, t):
    return (-g * t / p / len(p),)
