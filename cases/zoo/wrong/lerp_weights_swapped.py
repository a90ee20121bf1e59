"""Linear interpolation at fractional positions; the two corner weights are swapped in the scatter."""

import numpy as np


def _lohi(pos):
    lo = np.floor(pos).astype(int)
    return lo, pos - lo


def forward(x, pos):
    lo, t = _lohi(pos)
    return (1 - t) * x[:, lo] + t * x[:, lo + 1]


def _back(g, x, pos, swap):
    lo, t = _lohi(pos)
    a, b = (t, 1 - t) if swap else (1 - t, t)
    dx = np.zeros_like(x)
    for j, k in enumerate(lo):
        dx[:, k] += a[j] * g[:, j]
        dx[:, k + 1] += b[j] * g[:, j]
    return dx


def backward(g, x, pos):
    return (_back(g, x, pos, True),)


def correct_backward(g, x, pos):
    return (_back(g, x, pos, False),)
