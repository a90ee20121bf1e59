"""Wrong backward passes: scale and reduction."""

import numpy as np

from ..draws import integers, normal, values
from ..stand import mutant


@mutant(
    "wrong-normaliser-count",
    {"z": normal(6, 3), "y": values([0, 1, 2, 2, 1, 0]), "w": values([0.2, 1.0, 4.0])},
    "z",
    also=("extra-one-over-n",),
)
def ce_weighted_norm():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(z, y, w):
        v = w[y]
        return -(v * np.log(_sm(z)[np.arange(len(y)), y])).sum() / v.sum()

    def backward(g, z, y, w):
        return (g * w[y][:, None] * (_sm(z) - np.eye(3)[y]) / len(y),)

    return forward, backward


@mutant(
    "wrong-normaliser-count", {"s": normal(5, 4, scale=0.1), "y": integers(4, 5)}, "s", also=("missing-one-over-n",)
)
def hinge_multi_count():
    def forward(s, y):
        m = np.maximum(0, s - s[np.arange(len(y)), y][:, None] + 1)
        m[np.arange(len(y)), y] = 0
        return m.sum() / s.size

    def backward(g, s, y):
        m = (s - s[np.arange(len(y)), y][:, None] + 1 > 0).astype(float)
        m[np.arange(len(y)), y] = 0
        m[np.arange(len(y)), y] = -m.sum(1)
        return (g * m / len(y),)

    return forward, backward
