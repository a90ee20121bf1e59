"""Backward of transpose applies the forward permutation instead of its inverse."""

import numpy as np


def forward(x, axes=(1, 2, 0)):
    return np.transpose(x, axes)


def backward(g, x, axes=(1, 2, 0)):
    return (np.transpose(g, axes),)


def correct_backward(g, x, axes=(1, 2, 0)):
    return (np.transpose(g, np.argsort(axes)),)
