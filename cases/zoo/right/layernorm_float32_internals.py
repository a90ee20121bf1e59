"""LayerNorm computed in float32 inside, float64 at the interface. Correct up to single precision."""

import numpy as np


def reference(x, gamma):
    return gamma * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)


def forward(x, gamma):
    x, gamma = x.astype(np.float32), gamma.astype(np.float32)
    return reference(x, gamma).astype(np.float64)


def backward(g, x, gamma):
    g, x, gamma = (v.astype(np.float32) for v in (g, x, gamma))
    inv = 1 / np.sqrt(x.var(1, keepdims=True) + np.float32(1e-5))
    xh = (x - x.mean(1, keepdims=True)) * inv
    d = g * gamma
    dx = inv * (d - d.mean(1, keepdims=True) - xh * (d * xh).mean(1, keepdims=True))
    return dx.astype(np.float64), (g * xh).sum(0).astype(np.float64)
