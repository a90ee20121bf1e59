"""Wrong backward passes: weights that are normalised over other slices, and copies summed in another order."""

import numpy as np

from ..draws import normal
from ..stand import mutant


def soft_maximum(x):
    top = x.max(-1, keepdims=True)
    return np.log(np.exp(4 * (x - top)).mean(-1)) / 4 + top[..., 0]


@mutant("wrong-axis", {"x": normal(2, 3, 4)}, "x")
def soft_maximum_over_the_middle():
    def backward(g, x):
        e = np.exp(4 * (x - x.max(-1, keepdims=True)))
        return (g[..., None] * e / e.sum(1, keepdims=True),)

    return soft_maximum, backward


@mutant("wrong-axis", {"x": normal(2, 3, 4)}, "x", also=("cross-sample-coupling",))
def soft_maximum_over_everything():
    def backward(g, x):
        e = np.exp(4 * (x - x.max(-1, keepdims=True)))
        return (g[..., None] * e / e.sum(),)

    return soft_maximum, backward


@mutant("broadcast-wrong-axis-summed", {"v": normal(2, 3, 2), "w": normal(4, 3, 3)}, "v")
def repeated_heads_summed_as_tiled():
    def forward(v, w):
        return w @ np.repeat(v, 2, 0)

    def backward(g, v, w):
        return ((w.transpose(0, 2, 1) @ g).reshape(2, 2, 3, 2).sum(0),)

    return forward, backward


@mutant("broadcast-wrong-axis-summed", {"b": normal(3, 2), "x": normal(3, 2, 4)}, "b", also=("cross-sample-coupling",))
def shift_of_every_sample_summed_over_the_batch():
    def forward(b, x):
        return x + b[:, :, None]

    def backward(g, b, x):
        return (np.broadcast_to(g.sum((0, 2)), b.shape).copy(),)

    return forward, backward
