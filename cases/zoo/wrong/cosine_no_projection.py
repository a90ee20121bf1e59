"""Cosine similarity: the norms are treated as constants, the projection term is missing."""

import numpy as np


def forward(a, b):
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def backward(g, a, b):
    na = np.linalg.norm(a, axis=1, keepdims=True)
    nb = np.linalg.norm(b, axis=1, keepdims=True)
    return g[:, None] * b / (na * nb), g[:, None] * a / (na * nb)


def correct_backward(g, a, b):
    na = np.linalg.norm(a, axis=1, keepdims=True)
    nb = np.linalg.norm(b, axis=1, keepdims=True)
    c = (a * b).sum(1, keepdims=True) / (na * nb)
    g = g[:, None]
    return g * (b / nb - c * a / na) / na, g * (a / na - c * b / nb) / nb
