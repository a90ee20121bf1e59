"""Wrong backward passes: branches that another input decides."""

import numpy as np

from ..draws import normal
from ..stand import mutant


@mutant(
    "branch-condition-wrong",
    {"x": normal(6, 3), "W": normal(3, 4), "b": normal(4, scale=0.7)},
    ("x", "W"),
)
def rectified_without_its_bias():
    def forward(x, W, b):
        return np.maximum(x @ W + b, 0)

    def backward(g, x, W, b):
        d = g * (x @ W > 0)
        return d @ W.T, x.T @ d

    return forward, backward
