"""Wrong backward passes: the use of the upstream."""

import numpy as np

from ..draws import integers, normal
from ..stand import mutant


@mutant("nonlinear-in-upstream", {"x": normal(3, 4)}, "x")
def softmax_clipped():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x)

    def backward(g, x):
        s = _sm(x)
        t = s * (g - (s * g).sum(-1, keepdims=True))
        return (np.clip(t, -0.1, 0.1),)

    return forward, backward


@mutant("stale-slice-counter", {"x": normal(3, 4)}, "x", also=("upstream-partially-used",))
def softmax_late_closure():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x)

    def backward(g, x):
        s = _sm(x)
        fs = [lambda r: s[r] * (g[i] - (g[i] * s[r]).sum()) for i in range(len(x))]  # noqa: B023 - the bug itself
        return (np.stack([f(r) for r, f in enumerate(fs)]),)

    return forward, backward


@mutant("stale-slice-counter", {"x": normal(3, 2, 4)}, "x", options={"axis": 0}, also=("upstream-partially-used",))
def stale_last_axis0():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x, axis=0):
        return _sm(x, axis)

    def backward(g, x, axis=0):
        s = _sm(x, axis)
        gl = g[:, -1:, -1:]
        return (s * (gl - (s * gl).sum(axis, keepdims=True)),)

    return forward, backward


@mutant("stale-slice-counter", {"x": normal(4, 3)}, "x", also=("upstream-partially-used",))
def l2n_stale_first():
    def forward(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def backward(g, x):
        n = np.linalg.norm(x, axis=1, keepdims=True)
        y = x / n
        u = g[:1]
        return ((u - y * (u * y).sum(1, keepdims=True)) / n,)

    return forward, backward


@mutant("upstream-applied-twice", {"x": normal(3, 4)}, "x")
def tanh_upstream_twice():
    def forward(x):
        return np.tanh(x)

    def backward(g, x):
        return (g * (g * (1 - np.tanh(x) ** 2)),)

    return forward, backward


@mutant("upstream-applied-twice", {"x": normal(3, 4)}, "x")
def softmax_helper_twice():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x)

    def backward(g, x):
        s = _sm(x)
        return (g * (s * (g - (g * s).sum(-1, keepdims=True))),)

    return forward, backward


@mutant("upstream-applied-twice", {"x": normal(4, 3), "W": normal(3, 2)}, ("x", "W"))
def linear_dw_twice():
    def forward(x, W):
        return x @ W

    def backward(g, x, W):
        return (g @ W.T, x.T @ (g * g))

    return forward, backward


@mutant("upstream-partially-used", {"z": normal(5, 3), "y": integers(3, 5)}, "z", also=("stale-slice-counter",))
def ce_none_first_upstream():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(z, y):
        return -np.log(_sm(z)[np.arange(len(y)), y])

    def backward(g, z, y):
        return (g[0] * (_sm(z) - np.eye(z.shape[1])[y]),)

    return forward, backward
