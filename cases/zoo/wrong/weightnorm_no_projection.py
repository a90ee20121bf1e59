"""Weight normalisation w = s*v/||v||: dv ignores the dependence of the norm on v."""

import numpy as np


def forward(v, s):
    return s[:, None] * v / np.linalg.norm(v, axis=1, keepdims=True)


def backward(g, v, s):
    n = np.linalg.norm(v, axis=1, keepdims=True)
    return s[:, None] * g / n, (g * v / n).sum(1)


def correct_backward(g, v, s):
    n = np.linalg.norm(v, axis=1, keepdims=True)
    u = v / n
    return s[:, None] / n * (g - u * (g * u).sum(1, keepdims=True)), (g * u).sum(1)
