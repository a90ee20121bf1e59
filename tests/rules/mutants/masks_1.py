"""Wrong backward passes: masks, branches, ties and labels."""

import numpy as np

from ..draws import integers, normal, positive, values
from ..stand import mutant


@mutant(
    "branch-condition-wrong",
    {"a": normal(6, 2), "p": normal(6, 2), "n": normal(6, 2)},
    "a",
    options={"margin": 0.5},
    also=("saturation-mask-missing", "mask-not-applied-in-backward"),
)
def triplet_no_margin():
    def forward(a, p, n, margin=0.5):
        return np.maximum(0, ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + margin).mean()

    def backward(g, a, p, n, margin=0.5):
        return (g * 2 * (n - p) / len(a),)

    return forward, backward


@mutant("branch-condition-wrong", {"a": normal(8), "b": normal(8)}, ("a", "b"))
def max_pair_condition():
    def forward(a, b):
        return np.maximum(a, b)

    def backward(g, a, b):
        return (g * (a > 0), g * (a <= 0))

    return forward, backward


@mutant("branch-condition-wrong", {"x": normal(12, scale=2.0)}, "x")
def smoothl1_wrong_branch():
    def forward(x):
        a = np.abs(x)
        return np.where(a < 1, 0.5 * a * a, a - 0.5).sum()

    def backward(g, x):
        return (g * np.where(x < 1, x, 1.0),)

    return forward, backward


@mutant(
    "branch-condition-wrong",
    {"d": positive(8), "y": values([1, 0, 0, 1, 0, 1, 0, 0], dtype=float)},
    "d",
    options={"margin": 1.2},
    also=("saturation-mask-missing", "mask-not-applied-in-backward"),
)
def contrastive_margin():
    def forward(d, y, margin=1.2):
        return (y * d**2 + (1 - y) * np.maximum(0, margin - d) ** 2).mean()

    def backward(g, d, y, margin=1.2):
        return (g * (2 * y * d - 2 * (1 - y) * (margin - d)) / len(d),)

    return forward, backward


@mutant(
    "ignore-index-not-masked",
    {"z": normal(6, 3), "y": values([0, 2, 255, 1, 255, 0])},
    "z",
    options={"ignore_index": 255},
)
def ignore_rows_bce():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(z, y, ignore_index=255):
        k = y != ignore_index
        r = np.flatnonzero(k)
        return -np.log(_sm(z)[r, y[r]]).sum() / k.sum()

    def backward(g, z, y, ignore_index=255):
        k = y != ignore_index
        d = _sm(z)
        r = np.flatnonzero(k)
        d[r, y[r]] -= 1
        return (g * d / k.sum(),)

    return forward, backward


@mutant("ignore-index-not-masked", {"lp": normal(5, 3), "y": values([0, -1, 2, 1, -1])}, "lp")
def nll_ignore():
    def forward(lp, y):
        k = y >= 0
        return -(lp[np.arange(len(y)), np.where(k, y, 0)] * k).sum() / k.sum()

    def backward(g, lp, y):
        k = y >= 0
        d = np.zeros_like(lp)
        d[np.arange(len(y)), np.where(k, y, 0)] = -1
        return (g * d / k.sum(),)

    return forward, backward


@mutant("label-smoothing-mismatch", {"z": normal(4, 5), "y": integers(5, 4)}, "z", options={"smoothing": 0.2})
def ce_smooth_km1():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(z, y, smoothing=0.2):
        k = z.shape[1]
        t = (1 - smoothing) * np.eye(k)[y] + smoothing / k
        return -(t * np.log(_sm(z))).sum() / len(y)

    def backward(g, z, y, smoothing=0.2):
        k = z.shape[1]
        o = np.eye(k)[y]
        t = (1 - smoothing) * o + smoothing / (k - 1) * (1 - o)
        return (g * (_sm(z) - t) / len(y),)

    return forward, backward


@mutant(
    "label-smoothing-mismatch",
    {"x": normal(6), "t": values([0, 1, 1, 0, 1, 0], dtype=float)},
    "x",
    options={"eps": 0.2},
)
def bce_smoothing():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(x, t, eps=0.2):
        s = t * (1 - eps) + eps / 2
        return (np.log1p(np.exp(x)) - s * x).mean()

    def backward(g, x, t, eps=0.2):
        return (g * (_sg(x) - t) / len(x),)

    return forward, backward


@mutant(
    "loose-equality-mask", {"x": values([[1.0, 1.004, 0.2, -1.0], [0.3, 2.0, 1.999, 1.5], [5.0, 1.0, 2.0, 3.0]])}, "x"
)
def max_isclose():
    def forward(x):
        return x.max(1)

    def backward(g, x):
        return (g[:, None] * np.isclose(x, x.max(1, keepdims=True), rtol=0, atol=0.01),)

    return forward, backward
