"""Strided convolution on an indivisible length: the last inputs are never read, their gradient is exactly 0. Correct."""

import numpy as np


def forward(x, w, b, s=2):
    F, C, kh, kw = w.shape
    H, W = (x.shape[2] - kh) // s + 1, (x.shape[3] - kw) // s + 1
    y = np.zeros((len(x), F, H, W), dtype=np.result_type(x, w, b))
    for i in range(H):
        for j in range(W):
            y[:, :, i, j] = np.einsum("nchw,fchw->nf", x[:, :, i * s : i * s + kh, j * s : j * s + kw], w) + b
    return y


def backward(g, x, w, b, s=2):
    F, C, kh, kw = w.shape
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(g.shape[2]):
        for j in range(g.shape[3]):
            sl = (slice(None), slice(None), slice(i * s, i * s + kh), slice(j * s, j * s + kw))
            dx[sl] += np.einsum("nf,fchw->nchw", g[:, :, i, j], w)
            dw += np.einsum("nf,nchw->fchw", g[:, :, i, j], x[sl])
    return dx, dw, g.sum((0, 2, 3))
