"""sum(batchnorm(x)) does not depend on x: with a constant upstream the gradient is identically zero. Correct."""

import numpy as np


def forward(x):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


def backward(g, x):
    inv = 1 / np.sqrt(x.var(0) + 1e-5)
    xh = (x - x.mean(0)) * inv
    return (inv * (g - g.mean(0) - xh * (g * xh).mean(0)),)
