"""dW[idx] += g: fancy-index += keeps only the last contribution of a repeated index."""

import numpy as np


def forward(W, idx):
    return W[idx]


def backward(g, W, idx):
    dW = np.zeros_like(W)
    dW[idx] += g
    return (dW,)


def correct_backward(g, W, idx):
    dW = np.zeros_like(W)
    np.add.at(dW, idx, g)
    return (dW,)
