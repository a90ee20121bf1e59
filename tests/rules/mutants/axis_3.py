"""Wrong backward passes: axes, shapes, permutations and geometry."""

import numpy as np

from ..draws import distinct, normal
from ..stand import mutant


@mutant("permutation-not-inverted", {"x": normal(4, 2, 3)}, "x", options={"r": 2})
def pixel_shuffle():
    def forward(x, r=2):
        h, w = x.shape[1:]
        return x.reshape(r, r, h, w).transpose(2, 0, 3, 1).reshape(h * r, w * r)

    def backward(g, x, r=2):
        return (g.reshape(x.shape),)

    return forward, backward


@mutant("permutation-not-inverted", {"x": normal(3, 4)}, "x")
def f_order():
    def forward(x):
        return np.tanh(x).ravel(order="F")

    def backward(g, x):
        return (g.reshape(x.shape) * (1 - np.tanh(x) ** 2),)

    return forward, backward


@mutant("rows-viewed-with-wrong-shape", {"x": normal(2, 3, 4)}, "x", also=("wrong-axis",))
def layernorm_3d_rows():
    def forward(x):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-05)

    def backward(g, x):
        r = x.reshape(len(x), -1)
        d = g.reshape(len(x), -1)
        inv = 1 / np.sqrt(r.var(1, keepdims=True) + 1e-05)
        h = (r - r.mean(1, keepdims=True)) * inv
        return ((inv * (d - d.mean(1, keepdims=True) - h * (d * h).mean(1, keepdims=True))).reshape(x.shape),)

    return forward, backward


@mutant("rows-viewed-with-wrong-shape", {"x": normal(2, 3, 4)}, "x", also=("wrong-axis",))
def softmax_3d_rows():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x)

    def backward(g, x):
        s = _sm(x).reshape(len(x), -1)
        d = g.reshape(len(x), -1)
        return ((s * (d - (s * d).sum(1, keepdims=True))).reshape(x.shape),)

    return forward, backward


@mutant("scan-direction-not-reversed", {"x": normal(2, 5)}, "x", options={"decay": 0.7}, also=("transposed-jacobian",))
def ema_scan():
    def forward(x, decay=0.7):
        y = np.zeros_like(x)
        h = 0
        for t in range(x.shape[1]):
            h = decay * h + x[:, t]
            y[:, t] = h
        return y

    def backward(g, x, decay=0.7):
        return (forward(g, decay),)

    return forward, backward


@mutant("scan-direction-not-reversed", {"x": normal(2, 5)}, "x")
def logcumsumexp_forward():
    def forward(x):
        return np.log(np.cumsum(np.exp(x), 1))

    def backward(g, x):
        y = forward(x)
        return (np.exp(x) * np.cumsum(g * np.exp(-y), 1),)

    return forward, backward


@mutant("stride-ignored", {"x": normal(9), "w": normal(3)}, ("x", "w"), options={"dilation": 2})
def dilated_conv():
    def forward(x, w, dilation=2):
        n = len(x) - dilation * (len(w) - 1)
        return np.array([x[i : i + dilation * len(w) : dilation][: len(w)] @ w for i in range(n)])

    def backward(g, x, w, dilation=2):
        dx, dw = (np.zeros_like(x), np.zeros_like(w))
        for i in range(len(g)):
            dx[i : i + len(w)] += g[i] * w
            dw += g[i] * x[i : i + len(w)]
        return (dx, dw)

    return forward, backward


@mutant("stride-ignored", {"x": normal(2, 9)}, "x")
def avgpool_stride_hard():
    def forward(x):
        return np.stack([x[:, 3 * i : 3 * i + 3].mean(1) for i in range(3)], 1)

    def backward(g, x):
        d = np.zeros_like(x)
        for i in range(3):
            d[:, i : i + 3] += g[:, i : i + 1] / 3
        return (d,)

    return forward, backward


@mutant("stride-ignored", {"x": distinct(2, 9)}, "x", options={"k": 3, "stride": 3})
def maxpool_stride1():
    def forward(x, k=3, stride=3):
        return np.stack([x[:, i * stride : i * stride + k].max(1) for i in range(3)], 1)

    def backward(g, x, k=3, stride=3):
        d = np.zeros_like(x)
        for i in range(3):
            j = i + x[:, i * stride : i * stride + k].argmax(1)
            d[np.arange(len(x)), j] += g[:, i]
        return (d,)

    return forward, backward


@mutant("stride-ignored", {"x": normal(1, 2, 5, 7), "w": normal(2, 2, 2, 3)}, ("x", "w"), options={"stride": 2})
def conv_nchw_stride():
    def forward(x, w, stride=2):
        o, _, h, v = w.shape
        H = (x.shape[2] - h) // stride + 1
        W = (x.shape[3] - v) // stride + 1
        y = np.zeros((len(x), o, H, W))
        for i in range(H):
            for j in range(W):
                y[:, :, i, j] = np.einsum(
                    "nchw,ochw->no", x[:, :, i * stride : i * stride + h, j * stride : j * stride + v], w
                )
        return y

    def backward(g, x, w, stride=2):
        dx, dw = (np.zeros_like(x), np.zeros_like(w))
        h, v = w.shape[2:]
        for i in range(g.shape[2]):
            for j in range(g.shape[3]):
                dx[:, :, i : i + h, j : j + v] += np.einsum("no,ochw->nchw", g[:, :, i, j], w)
                dw += np.einsum("no,nchw->ochw", g[:, :, i, j], x[:, :, i : i + h, j : j + v])
        return (dx, dw)

    return forward, backward
