"""y = x @ S with a symmetric S: writing g @ S is right because S equals its transpose by construction."""

import numpy as np

_S = np.array([[2.0, 0.5, 0.1, -0.3], [0.5, 1.0, 0.4, 0.2], [0.1, 0.4, -1.0, 0.6], [-0.3, 0.2, 0.6, 3.0]])


def forward(x):
    return x @ _S


def backward(g, x):
    return (g @ _S,)
