"""Embedding lookup with repeated and negative integer indices, accumulated with np.add.at. Correct."""

import numpy as np


def forward(W, idx):
    return W[idx]


def backward(g, W, idx):
    d = np.zeros_like(W)
    np.add.at(d, idx, g)
    return (d,)
