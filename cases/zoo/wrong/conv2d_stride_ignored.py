"""2-D convolution with stride; both gradients index the input as if stride were 1."""

import numpy as np


def forward(x, w, stride=2):
    kh, kw = w.shape
    H, W = (x.shape[1] - kh) // stride + 1, (x.shape[2] - kw) // stride + 1
    y = np.zeros((len(x), H, W), dtype=np.result_type(x, w))
    for i in range(H):
        for j in range(W):
            y[:, i, j] = (x[:, i * stride : i * stride + kh, j * stride : j * stride + kw] * w).sum((1, 2))
    return y


def _back(g, x, w, step):
    kh, kw = w.shape
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(g.shape[1]):
        for j in range(g.shape[2]):
            a, b = slice(i * step, i * step + kh), slice(j * step, j * step + kw)
            dx[:, a, b] += g[:, i, j, None, None] * w
            dw += (g[:, i, j, None, None] * x[:, a, b]).sum(0)
    return dx, dw


def backward(g, x, w, stride=2):
    return _back(g, x, w, 1)


def correct_backward(g, x, w, stride=2):
    return _back(g, x, w, stride)
