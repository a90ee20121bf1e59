"""Wrong backward passes: broadcasting."""

import numpy as np

from ..draws import normal, positive
from ..stand import mutant


@mutant("broadcast-averaged-not-summed", {"x": normal(5, 3), "s": positive(3)}, ("x", "s"), also=("extra-one-over-n",))
def scale_param_mean():
    def forward(x, s):
        return x * s

    def backward(g, x, s):
        return (g * s, (g * x).mean(0))

    return forward, backward


@mutant("broadcast-averaged-not-summed", {"x": normal(3, 4), "a": positive(1)}, ("x", "a"), also=("extra-one-over-n",))
def scalar_gain_mean():
    def forward(x, a):
        return a * x

    def backward(g, x, a):
        return (g * a, np.array([(g * x).mean()]))

    return forward, backward


@mutant(
    "broadcast-averaged-not-summed",
    {"x": normal(5, 3), "W": normal(3, 4), "b": normal(4)},
    ("x", "W", "b"),
    also=("extra-one-over-n",),
)
def mlp_bias_mean():
    def forward(x, W, b):
        return np.tanh(x @ W + b)

    def backward(g, x, W, b):
        d = g * (1 - np.tanh(x @ W + b) ** 2)
        return (d @ W.T, x.T @ d, d.mean(0))

    return forward, backward


@mutant("broadcast-not-summed", {"x": normal(4, 3), "s": positive(4, 1)}, ("x", "s"))
def unbroadcast_keepdims():
    def forward(x, s):
        return x * s

    def backward(g, x, s):
        return (g * s, g * x)

    return forward, backward


@mutant("broadcast-not-summed", {"x": normal(2, 3, 4), "w": positive(4)}, ("x", "w"))
def batched_w_sum():
    def forward(x, w):
        return x * w

    def backward(g, x, w):
        return (g * w, (g * x).sum(0))

    return forward, backward


@mutant("broadcast-wrong-axis-summed", {"x": normal(4, 4), "s": normal(4)}, ("x", "s"))
def scale_wrong_axis():
    def forward(x, s):
        return x * s

    def backward(g, x, s):
        return (g * s, (g * x).sum(1))

    return forward, backward


@mutant("broadcast-wrong-axis-summed", {"x": normal(3, 3), "b": normal(3)}, ("x", "b"))
def bias_sum_axis1():
    def forward(x, b):
        return np.tanh(x + b)

    def backward(g, x, b):
        d = g * (1 - np.tanh(x + b) ** 2)
        return (d, d.sum(1))

    return forward, backward


@mutant("broadcast-wrong-axis-summed", {"x": normal(3, 3, 2, 2), "b": normal(3)}, ("x", "b"))
def nchw_bias_axes():
    def forward(x, b):
        return x + b[None, :, None, None]

    def backward(g, x, b):
        return (g, g.sum((1, 2, 3)))

    return forward, backward


@mutant("broadcast-wrong-axis-summed", {"x": normal(3, 4, 3), "b": normal(4, 3)}, ("x", "b"))
def unbroadcast_leading():
    def forward(x, b):
        return x * b

    def backward(g, x, b):
        return (g * b, (g * x).sum(2).T)

    return forward, backward
