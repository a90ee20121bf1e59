"""sort backward returns the upstream in sorted order instead of scattering it through argsort."""

import numpy as np


def forward(x):
    return np.sort(x)


def backward(g, x):
    return (g.copy(),)


def correct_backward(g, x):
    d = np.empty_like(g)
    d[np.argsort(x)] = g
    return (d,)
