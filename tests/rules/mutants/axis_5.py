"""Wrong backward passes: axes, shapes, permutations and geometry."""

import numpy as np

from ..draws import normal, positive
from ..stand import mutant


@mutant("wrong-axis", {"x": normal(3, 2, 4)}, "x", options={"axis": 0})
def softmax_3d_axis0():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x, axis=0):
        return _sm(x, axis)

    def backward(g, x, axis=0):
        s = _sm(x, axis)
        return (s * (g - (s * g).sum(1, keepdims=True)),)

    return forward, backward


@mutant("wrong-axis", {"x": normal(4, 3)}, "x")
def var_global_mean():
    def forward(x):
        return x.var(1)

    def backward(g, x):
        return (2 * g[:, None] * (x - x.mean()) / x.shape[1],)

    return forward, backward


@mutant("wrong-axis", {"x": normal(3, 2, 2, 3), "gamma": positive(2)}, "x")
def bn2d_affine_axes():
    def forward(x, gamma):
        ax = (0, 2, 3)
        s = np.sqrt(x.var(ax, keepdims=True) + 1e-05)
        return gamma[None, :, None, None] * (x - x.mean(ax, keepdims=True)) / s

    def backward(g, x, gamma):
        ax = (0, 2, 3)
        s = np.sqrt(x.var(ax, keepdims=True) + 1e-05)
        h = (x - x.mean(ax, keepdims=True)) / s
        d = g * gamma[None, :, None, None]
        return ((d - d.mean((2, 3), keepdims=True) - h * (d * h).mean((2, 3), keepdims=True)) / s,)

    return forward, backward
