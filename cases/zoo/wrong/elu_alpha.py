"""ELU backward from the output uses y + 1, which assumes alpha = 1."""

import numpy as np


def forward(x, alpha=0.3):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def backward(g, x, alpha=0.3):
    y = forward(x, alpha)
    return (g * np.where(y > 0, 1.0, y + 1.0),)


def correct_backward(g, x, alpha=0.3):
    y = forward(x, alpha)
    return (g * np.where(y > 0, 1.0, y + alpha),)
