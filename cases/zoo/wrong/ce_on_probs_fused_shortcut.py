"""Cross-entropy node on PROBABILITIES returns (p - t)/N, which is the gradient w.r.t. the logits of softmax+CE."""

import numpy as np


def forward(p, t):
    return np.mean(-np.sum(t * np.log(p), axis=1))


def backward(g, p, t):
    return (g * (p - t) / t.shape[0],)


def correct_backward(g, p, t):
    return (-g * t / p / t.shape[0],)
