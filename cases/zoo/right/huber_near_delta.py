"""Huber loss with residuals within 1e-6 of delta: once differentiable, second derivative jumps. Correct."""

import numpy as np


def forward(x, delta=1.0):
    a = np.abs(x)
    return np.where(a <= delta, 0.5 * x * x, delta * (a - 0.5 * delta))


def backward(g, x, delta=1.0):
    return (g * np.clip(x, -delta, delta),)
