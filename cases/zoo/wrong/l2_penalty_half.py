"""Ridge regression loss: penalty reg*sum(W^2), gradient reg*W."""

import numpy as np


def forward(W, X, Y, reg=0.3):
    r = X @ W - Y
    return (r * r).sum() / len(X) + reg * np.sum(W * W)


def backward(g, W, X, Y, reg=0.3):
    return (g * (2 * X.T @ (X @ W - Y) / len(X) + reg * W),)


def correct_backward(g, W, X, Y, reg=0.3):
    return (g * (2 * X.T @ (X @ W - Y) / len(X) + 2 * reg * W),)
