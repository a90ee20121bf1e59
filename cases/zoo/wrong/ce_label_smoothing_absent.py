"""Label smoothing in the loss, hard labels in the gradient."""

import numpy as np


def _logp(z):
    m = z.max(1, keepdims=True)
    return z - m - np.log(np.exp(z - m).sum(1, keepdims=True))


def _soft(z, y, eps):
    k = z.shape[1]
    return (1 - eps) * np.eye(k)[y] + eps / k


def forward(z, y, eps=0.1):
    return -(_soft(z, y, eps) * _logp(z)).sum() / len(y)


def backward(g, z, y, eps=0.1):
    return (g * (np.exp(_logp(z)) - np.eye(z.shape[1])[y]) / len(y),)


def correct_backward(g, z, y, eps=0.1):
    return (g * (np.exp(_logp(z)) - _soft(z, y, eps)) / len(y),)
