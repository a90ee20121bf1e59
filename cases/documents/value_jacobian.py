"""The Jacobian of softmax from its value alone: filled in entry by entry, and as an outer product."""

import numpy as np


def softmax(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum()


def jacobian_loop(s):
    matrix = np.zeros((len(s), len(s)))
    for i in range(len(s)):
        for j in range(len(s)):
            own = 1.0 if i == j else 0.0
            matrix[i, j] = s[i] * (own - s[j])
    return matrix


def jacobian_outer(softmax):
    column = softmax[:, np.newaxis]
    return np.diagflat(softmax) - column @ column.T
