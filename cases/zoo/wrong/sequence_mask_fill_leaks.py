"""Positions past the length are replaced by `value`; the backward writes `value` there instead of 0."""

import numpy as np


def _keep(x, length):
    return np.arange(x.shape[1])[None, :] < length[:, None]


def forward(x, length, value=-1.0):
    return np.where(_keep(x, length), x, value)


def backward(g, x, length, value=-1.0):
    return (np.where(_keep(x, length), g, value),)


def correct_backward(g, x, length, value=-1.0):
    return (np.where(_keep(x, length), g, 0.0),)
