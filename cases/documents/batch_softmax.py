"""Softmax of every row of a batch, three ways to differentiate it, and the loss that often follows."""

import numpy as np


class RowSoftmax:
    """Activation layer; ``prop`` goes forwards, ``back`` takes the gradient of the layer above."""

    def prop(self, X):
        powers = np.exp(X)
        shares = powers.T / powers.sum(axis=1)
        return shares.T

    def back(self, X, grad):
        s = self.prop(X)
        along = (grad * s).sum(axis=1)
        return s * (grad.T - along).T


def prop(X):
    return RowSoftmax().prop(X)


def flattened_jacobian(Y):
    """One square matrix for the whole batch, as if its rows were a single distribution."""
    flat = Y.flatten()
    return np.diag(flat) - np.outer(flat, flat)


def batched_jacobian(X):
    """A matrix of shape (k, k) per sample: a diagonal minus an outer product."""
    s = prop(X)
    n, k = s.shape
    diagonals = np.eye(k) * s.reshape(n, 1, k)
    outers = s.reshape(n, k, 1) @ s.reshape(n, 1, k)
    return diagonals - outers


def cross_entropy(X, Y):
    """Softmax and cross-entropy in one: the loss of logits X against label rows Y."""
    top = X.max(axis=1, keepdims=True)
    log_sum = top + np.log(np.exp(X - top).sum(axis=1, keepdims=True))
    return (Y * (log_sum - X)).sum() / X.shape[0]


def cross_entropy_gradient(X, Y):
    m = X.shape[0]
    S = prop(X)
    return (S - Y) / m
