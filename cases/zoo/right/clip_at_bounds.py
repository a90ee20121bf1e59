"""clip with inputs exactly on the bounds; pass-through at equality is a valid choice."""

import numpy as np


def forward(x):
    return np.clip(x, -1.0, 1.0)


def backward(g, x):
    return (g * ((x >= -1.0) & (x <= 1.0)),)
