"""BatchNorm, chain written out step by step; d(var+eps)^(-1/2) loses its factor one-half."""

import numpy as np


def forward(x):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


def _back(g, x, half):
    n = len(x)
    xmu = x - x.mean(0)
    std = np.sqrt(x.var(0) + 1e-5)
    divar = (g * xmu).sum(0)
    dvar = -half * divar / std**3
    dxmu = g / std + 2.0 / n * xmu * dvar
    return dxmu - dxmu.sum(0) / n


def backward(g, x):
    return (_back(g, x, 1.0),)


def correct_backward(g, x):
    return (_back(g, x, 0.5),)
