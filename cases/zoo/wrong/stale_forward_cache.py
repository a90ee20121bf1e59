"""The cache is filled by the first forward only; later backward calls use the old activations."""

import numpy as np

_cache = {}


def forward(x):
    y = 1 / (1 + np.exp(-x))
    _cache.setdefault("y", y)
    return y


def backward(g, x):
    y = _cache["y"]
    return (g * y * (1 - y),)


def correct_backward(g, x):
    y = 1 / (1 + np.exp(-x))
    return (g * y * (1 - y),)
