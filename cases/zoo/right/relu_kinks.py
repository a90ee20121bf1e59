"""ReLU with inputs exactly at 0 and 1e-7 away from it. Any subgradient in [0, 1] at 0 is right; this one uses 0."""

import numpy as np


def forward(x):
    return np.maximum(x, 0)


def backward(g, x):
    return (g * (x > 0),)
