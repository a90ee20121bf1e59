"""Wrong backward passes: the use of the upstream."""

import numpy as np

from ..draws import normal
from ..stand import mutant


@mutant(
    "upstream-partially-used",
    {"x": normal(4, 3), "b": normal(3)},
    ("x", "b"),
    also=("early-exit-from-loop", "loop-overwrites-accumulator"),
)
def linear_b_only_g0():
    def forward(x, b):
        return x + b

    def backward(g, x, b):
        return (g, g[0])

    return forward, backward


@mutant("upstream-partially-used", {"x": normal(4, 3)}, "x", also=("stale-slice-counter",))
def softmax_mean_upstream():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(x):
        return np.log1p(np.exp(x)).sum(1)

    def backward(g, x):
        return (g[-1] * _sg(x),)

    return forward, backward
