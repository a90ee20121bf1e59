"""norm(x)**2 differentiated through the norm: 0/0 = nan on a zero row, where the truth is 0."""

import numpy as np


def forward(x):
    return np.sqrt((x * x).sum(1)) ** 2


def backward(g, x):
    n = np.sqrt((x * x).sum(1, keepdims=True))
    return (g[:, None] * 2 * n * (x / n),)


def correct_backward(g, x):
    return (g[:, None] * 2 * x,)
