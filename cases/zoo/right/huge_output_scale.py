"""Outputs of size 1e10: any fixed absolute tolerance fails. Correct."""

import numpy as np


def forward(x, A):
    return x @ A @ x


def backward(g, x, A):
    return g * (A + A.T) @ x, g * np.outer(x, x)
