"""Per-sample Huber loss whose backward never looks at the upstream gradient."""

import numpy as np


def forward(x, t, delta=1.0):
    d = x - t
    a = np.abs(d)
    return np.where(a <= delta, 0.5 * d * d, delta * (a - 0.5 * delta)).sum(axis=1)


def backward(g, x, t, delta=1.0):
    d = x - t
    return (np.where(np.abs(d) <= delta, d, delta * np.sign(d)),)


def correct_backward(g, x, t, delta=1.0):
    d = x - t
    return (g[:, None] * np.where(np.abs(d) <= delta, d, delta * np.sign(d)),)
