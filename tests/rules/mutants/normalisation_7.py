"""Wrong backward passes: the gradient of a normalised weight, returned for that of the weight."""

import numpy as np

from ..draws import normal
from ..stand import mutant


@mutant("statistics-treated-as-constants", {"W": normal(4, 6), "x": normal(5, 6)}, "W")
def standardised_weight():
    def standardise(W):
        c = W - W.mean(1, keepdims=True)
        return c / c.std(1, keepdims=True)

    def forward(W, x):
        return x @ standardise(W).T

    def backward(g, W, x):
        return (g.T @ x,)

    return forward, backward


@mutant("norm-treated-as-constant", {"W": normal(4, 6), "x": normal(5, 6)}, "W")
def normalised_weight():
    def forward(W, x):
        return x @ (W / np.linalg.norm(W, axis=1, keepdims=True)).T

    def backward(g, W, x):
        return (g.T @ x,)

    return forward, backward
