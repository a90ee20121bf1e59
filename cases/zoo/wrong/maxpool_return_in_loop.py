"""`return` is indented one level too deep: only the first pooling window is processed."""

import numpy as np


def _patches(x):
    for i in range(x.shape[0] // 2):
        for j in range(x.shape[1] // 2):
            yield x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2], i, j


def forward(x):
    y = np.zeros((x.shape[0] // 2, x.shape[1] // 2), dtype=x.dtype)
    for p, i, j in _patches(x):
        y[i, j] = p.max()
    return y


def backward(g, x):
    d = np.zeros(x.shape)
    for p, i, j in _patches(x):
        for a in range(2):
            for b in range(2):
                if p[a, b] == p.max():
                    d[2 * i + a, 2 * j + b] = g[i, j]
        return (d,)


def correct_backward(g, x):
    d = np.zeros(x.shape)
    for p, i, j in _patches(x):
        a, b = np.unravel_index(p.argmax(), p.shape)
        d[2 * i + a, 2 * j + b] = g[i, j]
    return (d,)
