"""Inverse of a matrix with condition number ~1e5. Correct."""

import numpy as np


def forward(A):
    return np.linalg.inv(A)


def backward(g, A):
    R = np.linalg.inv(A)
    return (-(R.T @ g @ R.T),)
