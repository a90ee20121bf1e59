"""Binary focal loss: the modulating factor (1-pt)^gamma is treated as a constant in the backward."""

import numpy as np


def _pt(x, t):
    p = 1 / (1 + np.exp(-x))
    return np.where(t > 0, p, 1 - p)


def forward(x, t, gamma=2.0):
    pt = _pt(x, t)
    return np.mean(-((1 - pt) ** gamma) * np.log(pt))


def backward(g, x, t, gamma=2.0):
    pt = _pt(x, t)
    sgn = np.where(t > 0, 1.0, -1.0)
    return (g * (1 - pt) ** gamma * -(1 - pt) * sgn / x.size,)


def correct_backward(g, x, t, gamma=2.0):
    pt = _pt(x, t)
    sgn = np.where(t > 0, 1.0, -1.0)
    dpt = pt * (1 - pt) * sgn
    return (g * dpt * (gamma * (1 - pt) ** (gamma - 1) * np.log(pt) - (1 - pt) ** gamma / pt) / x.size,)
