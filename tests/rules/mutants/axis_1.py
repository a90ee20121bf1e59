"""Wrong backward passes: axes, shapes, permutations and geometry."""

import numpy as np

from ..draws import normal, values
from ..stand import mutant


@mutant("height-width-swapped", {"x": normal(2, 4, 8)}, "x", also=("early-exit-from-loop",))
def avgpool2d_hw():
    def forward(x):
        return x.reshape(x.shape[0], x.shape[1] // 2, 2, x.shape[2] // 2, 2).mean((2, 4))

    def backward(g, x):
        d = np.zeros_like(x)
        for i in range(g.shape[1]):
            for j in range(g.shape[1]):
                d[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += g[:, i, j][:, None, None] / 4
        return (d,)

    return forward, backward


@mutant("height-width-swapped", {"x": normal(2, 3)}, "x", options={"sh": 2, "sw": 3})
def upsample_hw():
    def forward(x, sh=2, sw=3):
        return np.repeat(np.repeat(x, sh, 0), sw, 1)

    def backward(g, x, sh=2, sw=3):
        d = np.zeros_like(x)
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                d[i, j] = g[i * sw : (i + 1) * sw, j * sh : (j + 1) * sh].sum()
        return (d,)

    return forward, backward


@mutant("height-width-swapped", {"x": normal(5, 8), "w": normal(2, 3)}, "x", also=("early-exit-from-loop",))
def conv2d_kh_kw():
    def forward(x, w):
        h, v = w.shape
        return np.array(
            [
                [(x[i : i + h, j : j + v] * w).sum() for j in range(x.shape[1] - v + 1)]
                for i in range(x.shape[0] - h + 1)
            ]
        )

    def backward(g, x, w):
        d = np.zeros_like(x)
        h, v = w.shape
        for i in range(g.shape[0]):
            for j in range(g.shape[0]):
                d[i : i + h, j : j + v] += g[i, j] * w
        return (d,)

    return forward, backward


@mutant("height-width-swapped", {"x": normal(1, 2, 4, 7), "w": normal(2, 2, 2, 3)}, "x", also=("early-exit-from-loop",))
def conv_nchw_hw_kernel():
    def forward(x, w):
        o, _, h, v = w.shape
        H = x.shape[2] - h + 1
        W = x.shape[3] - v + 1
        y = np.zeros((len(x), o, H, W))
        for i in range(H):
            for j in range(W):
                y[:, :, i, j] = np.einsum("nchw,ochw->no", x[:, :, i : i + h, j : j + v], w)
        return y

    def backward(g, x, w):
        dx = np.zeros_like(x)
        h, v = w.shape[2:]
        for i in range(g.shape[2]):
            for j in range(g.shape[2]):
                dx[:, :, i : i + h, j : j + v] += np.einsum("no,ochw->nchw", g[:, :, i, j], w)
        return (dx,)

    return forward, backward


@mutant(
    "interpolation-weights-swapped",
    {"x": normal(4, 5), "r": values([0.3, 1.6, 2.2]), "c": values([0.8, 2.5, 3.4])},
    "x",
)
def bilinear_swapped():
    def _p(r):
        lo = np.floor(r).astype(int)
        return (lo, r - lo)

    def forward(x, r, c):
        (i, a), (j, b) = (_p(r), _p(c))
        return (
            (1 - a) * (1 - b) * x[i, j]
            + (1 - a) * b * x[i, j + 1]
            + a * (1 - b) * x[i + 1, j]
            + a * b * x[i + 1, j + 1]
        )

    def backward(g, x, r, c):
        (i, a), (j, b) = (_p(r), _p(c))
        d = np.zeros_like(x)
        np.add.at(d, (i, j), a * b * g)
        np.add.at(d, (i, j + 1), a * (1 - b) * g)
        np.add.at(d, (i + 1, j), (1 - a) * b * g)
        np.add.at(d, (i + 1, j + 1), (1 - a) * (1 - b) * g)
        return (d,)

    return forward, backward


@mutant("interpolation-weights-swapped", {"x": normal(6), "pos": values([0.3, 2.6, 4.1])}, "x")
def lerp_upper_only():
    def forward(x, pos):
        lo = np.floor(pos).astype(int)
        t = pos - lo
        return (1 - t) * x[lo] + t * x[lo + 1]

    def backward(g, x, pos):
        lo = np.floor(pos).astype(int)
        t = pos - lo
        d = np.zeros_like(x)
        np.add.at(d, lo, (1 - t) * g)
        return (d,)

    return forward, backward


@mutant("interpolation-weights-swapped", {"x": normal(2, 4)}, "x")
def linear_upsample_window():
    def _w(n):
        q = np.linspace(0, n - 1, 7)
        lo = np.minimum(np.floor(q).astype(int), n - 2)
        return (lo, q - lo)

    def forward(x):
        lo, t = _w(x.shape[1])
        return (1 - t) * x[:, lo] + t * x[:, lo + 1]

    def backward(g, x):
        lo, t = _w(x.shape[1])
        d = np.zeros_like(x)
        for j in range(len(lo)):
            d[:, lo[j]] += t[j] * g[:, j]
            d[:, lo[j] + 1] += (1 - t[j]) * g[:, j]
        return (d,)

    return forward, backward


@mutant("kernel-not-flipped", {"x": normal(5, 6), "w": normal(2, 3)}, "x")
def conv2d_no_flip():
    def _corr(x, w):
        h, v = w.shape
        return np.array(
            [
                [(x[i : i + h, j : j + v] * w).sum() for j in range(x.shape[1] - v + 1)]
                for i in range(x.shape[0] - h + 1)
            ]
        )

    def forward(x, w):
        return _corr(x, w)

    def backward(g, x, w):
        h, v = w.shape
        return (_corr(np.pad(g, ((h - 1, h - 1), (v - 1, v - 1))), w),)

    return forward, backward
