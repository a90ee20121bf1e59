"""sin(200 x): steps of 1e-3 are already too coarse. Correct."""

import numpy as np


def forward(x):
    return np.concatenate([np.sin(200 * x), np.cos(200 * x)], axis=-1)


def backward(g, x):
    d = x.shape[-1]
    return (200 * (g[..., :d] * np.cos(200 * x) - g[..., d:] * np.sin(200 * x)),)
