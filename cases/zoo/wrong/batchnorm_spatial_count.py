"""BatchNorm over (N,H,W) per channel; the backward averages over the batch axis only."""

import numpy as np


def _norm(x):
    inv = 1 / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-5)
    return (x - x.mean((0, 2, 3), keepdims=True)) * inv, inv


def forward(x):
    return _norm(x)[0]


def backward(g, x):
    xh, inv = _norm(x)
    return (inv * (g - g.mean(0, keepdims=True) - xh * (g * xh).mean(0, keepdims=True)),)


def correct_backward(g, x):
    xh, inv = _norm(x)
    ax = (0, 2, 3)
    return (inv * (g - g.mean(ax, keepdims=True) - xh * (g * xh).mean(ax, keepdims=True)),)
