"""L1 loss with exact zero residuals; np.sign gives 0 there, inside [-1, 1]."""

import numpy as np


def forward(y, t):
    return np.abs(y - t).mean()


def backward(g, y, t):
    d = g * np.sign(y - t) / y.size
    return d, -d
