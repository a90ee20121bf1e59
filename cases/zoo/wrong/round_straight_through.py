"""round() with a pass-through backward: a straight-through estimator (often intended, but not the gradient)."""

import numpy as np


def forward(x):
    return np.round(x)


def backward(g, x):
    return (g.copy(),)


def correct_backward(g, x):
    return (np.zeros_like(g),)
