"""Scaled dot-product attention; dQ and dK miss the 1/sqrt(d) that the scores carry."""

import numpy as np


def _p(Q, K):
    s = Q @ K.T / np.sqrt(Q.shape[1])
    e = np.exp(s - s.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def forward(Q, K, V):
    return _p(Q, K) @ V


def _back(g, Q, K, V, scale):
    P = _p(Q, K)
    dP = g @ V.T
    dS = P * (dP - (dP * P).sum(1, keepdims=True))
    return scale * dS @ K, scale * dS.T @ Q, P.T @ g


def backward(g, Q, K, V):
    return _back(g, Q, K, V, 1.0)


def correct_backward(g, Q, K, V):
    return _back(g, Q, K, V, 1 / np.sqrt(Q.shape[1]))
