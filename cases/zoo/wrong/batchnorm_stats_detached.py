"""BatchNorm backward gamma/std * g: both statistics treated as constants (the eval-mode rule in training mode)."""

import numpy as np


def forward(x, gamma, eps=1e-5):
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps)


def backward(g, x, gamma, eps=1e-5):
    inv = 1 / np.sqrt(x.var(0) + eps)
    return g * gamma * inv, (g * (x - x.mean(0)) * inv).sum(0)


def correct_backward(g, x, gamma, eps=1e-5):
    inv = 1 / np.sqrt(x.var(0) + eps)
    xh = (x - x.mean(0)) * inv
    d = g * gamma
    return inv * (d - d.mean(0) - xh * (d * xh).mean(0)), (g * xh).sum(0)
