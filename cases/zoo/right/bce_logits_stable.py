"""Stable BCE with logits at |x| up to 40. Correct."""

import numpy as np


def forward(x, t):
    return np.sum(np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))))


def backward(g, x, t):
    s = np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))
    return (g * (s - t),)
