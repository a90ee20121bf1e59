"""Wrong backward passes: a sum over the slice where its mean belongs, in one path."""

import numpy as np

from ..draws import normal
from ..stand import mutant


def scaled(q):
    r = 1 / np.sqrt((q * q).mean(-1, keepdims=True) + 1e-2)
    return q * r, r


@mutant("wrong-normaliser-count", {"q": normal(2, 3, 5), "w": normal(5)}, "q", also=("missing-one-over-n",))
def root_mean_square_with_the_sum():
    def forward(q, w):
        return scaled(q)[0] * w

    def backward(g, q, w):
        (h, r), d = scaled(q), g * w
        return (r * (d - h * (d * h).sum(-1, keepdims=True)),)

    return forward, backward


@mutant("wrong-normaliser-count", {"x": normal(4, 5)}, "x", also=("missing-one-over-n",))
def layer_norm_with_the_mean_of_means():
    def forward(x):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)

    def backward(g, x):
        r = 1 / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        h = (x - x.mean(-1, keepdims=True)) * r
        return (r * (g - g.mean(-1, keepdims=True) / 5 - h * (g * h).mean(-1, keepdims=True)),)

    return forward, backward
