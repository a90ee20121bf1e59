"""Cross-entropy with a reduction option; the backward always divides by the batch."""

import numpy as np


def _p(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def forward(z, y, reduction="sum"):
    nll = -np.log(_p(z)[np.arange(len(y)), y])
    return nll.mean() if reduction == "mean" else nll.sum()


def backward(g, z, y, reduction="sum"):
    d = _p(z) - np.eye(z.shape[1])[y]
    return (g * d / len(y),)


def correct_backward(g, z, y, reduction="sum"):
    d = _p(z) - np.eye(z.shape[1])[y]
    return (g * d / (len(y) if reduction == "mean" else 1),)
