"""Gradient of -log p returned with the wrong sign."""

import numpy as np


def forward(p, y):
    return -np.log(p[np.arange(len(y)), y]).mean()


def backward(g, p, y):
    d = np.zeros_like(p)
    r = np.arange(len(y))
    d[r, y] = 1.0 / p[r, y]
    return (g * d / len(y),)


def correct_backward(g, p, y):
    d = np.zeros_like(p)
    r = np.arange(len(y))
    d[r, y] = -1.0 / p[r, y]
    return (g * d / len(y),)
