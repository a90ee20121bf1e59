"""LayerNorm backward without the x_hat*mean(g*x_hat) term (variance treated as constant)."""

import numpy as np


def forward(x, eps=1e-5):
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + eps)


def backward(g, x, eps=1e-5):
    inv = 1 / np.sqrt(x.var(1, keepdims=True) + eps)
    return (inv * (g - g.mean(1, keepdims=True)),)


def correct_backward(g, x, eps=1e-5):
    inv = 1 / np.sqrt(x.var(1, keepdims=True) + eps)
    xh = (x - x.mean(1, keepdims=True)) * inv
    return (inv * (g - g.mean(1, keepdims=True) - xh * (g * xh).mean(1, keepdims=True)),)
