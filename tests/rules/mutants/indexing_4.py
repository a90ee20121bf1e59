"""Wrong backward passes: accumulation and indexing."""

import numpy as np

from ..draws import normal
from ..stand import mutant


@mutant(
    "reused-input-not-accumulated",
    {"x": normal(4, 3)},
    "x",
    also=("product-rule-term-missing", "factor-treated-as-constant", "factor-two"),
)
def gram_matrix():
    def forward(x):
        return x.T @ x

    def backward(g, x):
        return (x @ g,)

    return forward, backward


@mutant(
    "reused-input-not-accumulated",
    {"x": normal(4, 2)},
    "x",
    also=("product-rule-term-missing", "factor-treated-as-constant"),
)
def pairwise_sqdist():
    def forward(x):
        return ((x[:, None] - x[None]) ** 2).sum(-1)

    def backward(g, x):
        return (2 * (g[:, :, None] * (x[:, None] - x[None])).sum(1),)

    return forward, backward


@mutant(
    "reused-input-not-accumulated",
    {"x": normal(3, 4), "W": normal(4, 4), "V": normal(4, 4)},
    "x",
    also=("product-rule-term-missing", "factor-treated-as-constant"),
)
def swiglu_one_branch():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(x, W, V):
        a = x @ W
        return a * _sg(a) * (x @ V)

    def backward(g, x, W, V):
        a = x @ W
        s = _sg(a)
        return (g * (x @ V) * (s + a * s * (1 - s)) @ W.T,)

    return forward, backward
