"""Wrong backward passes: state."""

import numpy as np

from ..draws import normal
from ..stand import mutant


@mutant(
    "uses-updated-parameters",
    {"x": normal(4, 3), "W": normal(3, 2)},
    ("x", "W"),
    options={"lr": 0.1},
    also=("nonlinear-in-upstream",),
)
def linear_sgd_inside():
    def forward(x, W, lr=0.1):
        return x @ W

    def backward(g, x, W, lr=0.1):
        dW = x.T @ g
        W = W - lr * dW
        return (g @ W.T, dW)

    return forward, backward


@mutant(
    "uses-updated-parameters",
    {"x": normal(4, 3), "W": normal(3, 2), "b": normal(2)},
    ("x", "W", "b"),
    options={"learning_rate": 0.05},
    also=("nonlinear-in-upstream",),
)
def sgd_inside_bias():
    def forward(x, W, b, learning_rate=0.05):
        return np.tanh(x @ W + b)

    def backward(g, x, W, b, learning_rate=0.05):
        d = g * (1 - np.tanh(x @ W + b) ** 2)
        dW = x.T @ d
        W = W - learning_rate * dW
        return (d @ W.T, dW, d.sum(0))

    return forward, backward
