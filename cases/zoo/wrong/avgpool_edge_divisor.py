"""Last window is clipped: forward divides by the clipped size, backward by the full kernel."""

import numpy as np


def forward(x, k=2):
    return np.stack([x[:, i : i + k].mean(axis=1) for i in range(0, x.shape[1], k)], axis=1)


def backward(g, x, k=2):
    return (np.repeat(g, k, axis=1)[:, : x.shape[1]] / k,)


def correct_backward(g, x, k=2):
    dx = np.empty_like(x)
    for j, i in enumerate(range(0, x.shape[1], k)):
        part = dx[:, i : i + k]
        part[...] = g[:, j : j + 1] / part.shape[1]
    return (dx,)
