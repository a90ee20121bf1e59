"""cumsum backward is another forward cumsum instead of the reversed one."""

import numpy as np


def forward(x):
    return np.cumsum(x, axis=1)


def backward(g, x):
    return (np.cumsum(g, axis=1),)


def correct_backward(g, x):
    return (np.flip(np.cumsum(np.flip(g, 1), axis=1), 1),)
