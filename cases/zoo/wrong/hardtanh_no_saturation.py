"""clip(x, -1, 1) with a pass-through backward."""

import numpy as np


def forward(x):
    return np.clip(x, -1.0, 1.0)


def backward(g, x):
    return (g * np.ones_like(x),)


def correct_backward(g, x):
    return (g * ((x > -1) & (x < 1)),)
