"""Wrong backward passes: masks, branches, ties and labels."""

import numpy as np

from ..draws import normal, values
from ..stand import mutant


@mutant(
    "saturation-mask-missing",
    {"x": normal(4, 5, scale=2.0)},
    "x",
    options={"lo": -1.0, "hi": 0.5},
    also=("branch-condition-wrong", "straight-through-estimator"),
)
def clip_one_bound():
    def forward(x, lo=-1.0, hi=0.5):
        return np.clip(x, lo, hi)

    def backward(g, x, lo=-1.0, hi=0.5):
        return (g * (x < hi),)

    return forward, backward


@mutant(
    "tie-double-count", {"x": values([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, 5.0]])}, "x", also=("factor-two",)
)
def argmax_tie():
    def forward(x):
        return x.max(1)

    def backward(g, x):
        return (g[:, None] * (x == x.max(1, keepdims=True)),)

    return forward, backward


@mutant("tie-double-count", {"x": values([1.0, 1.0, 3.0, 2.0, -1.0, -1.0])}, "x", also=("factor-two",))
def maxpool_ties():
    def forward(x):
        return x.reshape(-1, 2).max(1)

    def backward(g, x):
        z = x.reshape(-1, 2)
        return ((g[:, None] * (z == z.max(1, keepdims=True))).ravel(),)

    return forward, backward
