"""log(p+eps) in the loss, 1/p in the gradient: differs where p is comparable to eps."""

import numpy as np


def forward(p, t, eps=1e-3):
    return -np.mean(t * np.log(p + eps) + (1 - t) * np.log(1 - p + eps))


def backward(g, p, t, eps=1e-3):
    return (-g * (t / p - (1 - t) / (1 - p)) / p.size,)


def correct_backward(g, p, t, eps=1e-3):
    return (-g * (t / (p + eps) - (1 - t) / (1 - p + eps)) / p.size,)
