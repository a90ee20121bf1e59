"""The Jacobian of softmax as a product of two tiled matrices, as it is explained in a tutorial and in its comments."""

import numpy as np


def softmax_basic(z):
    powers = np.exp(z)
    return np.divide(powers, np.sum(powers))


def tile_columns(S):
    """Row i is s_i, as often as S is long."""
    return np.tile(S.reshape(-1, 1), len(S))


def tiled_jacobian(S):
    S_matrix = tile_columns(S)
    return np.diag(S) - S_matrix * S_matrix.T


def untransposed_jacobian(S):
    """Without the transposition row i holds s_i squared."""
    S_matrix = tile_columns(S)
    return np.diag(S) - S_matrix * S_matrix


def untransposed_backward(z, grad):
    """The same matrix multiplied with the upstream from the other side."""
    return np.dot(untransposed_jacobian(softmax_basic(z)), grad)


def outer_by_dot(S):
    x = S.reshape(-1, 1)
    return np.diag(S) - np.dot(x, x.T)
