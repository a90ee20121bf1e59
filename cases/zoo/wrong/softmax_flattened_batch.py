"""The whole batch is flattened into one vector before building diag(Y)-outer(Y,Y): rows leak into each other."""

import numpy as np


def forward(x):
    s = np.exp(x - x.max(axis=1, keepdims=True))
    return (s.T / np.sum(s, axis=1)).T


def backward(g, x):
    y = forward(x).flatten()
    ds = np.diag(y) - np.outer(y, y)
    return ((ds @ g.flatten()).reshape(x.shape),)


def correct_backward(g, x):
    y = forward(x)
    jac = np.einsum("ni,ij->nij", y, np.eye(y.shape[1])) - np.einsum("ni,nj->nij", y, y)
    return (np.einsum("nij,nj->ni", jac, g),)
