"""Wrong backward passes: accumulation and indexing."""

import numpy as np

from ..draws import distinct, normal
from ..stand import mutant


@mutant("missing-input-gradient", {"x": normal(4, 3), "W": normal(3, 2), "b": normal(2)}, ("x", "W", "b"))
def conv_b_none():
    def forward(x, W, b):
        return x @ W + b

    def backward(g, x, W, b):
        return (g @ W.T, x.T @ g, None)

    return forward, backward


@mutant("output-contribution-missing", {"x": normal(3, 5)}, "x")
def moments_var_unused():
    def forward(x):
        return (x.mean(1), x.var(1))

    def backward(g, x):
        return (np.repeat(g[0][:, None], x.shape[1], 1) / x.shape[1],)

    return forward, backward


@mutant("output-contribution-missing", {"z": normal(3, 4), "c": normal(3, 2)}, ("z", "c"))
def lstm_cell_c_unused():
    def _s(v):
        return 1 / (1 + np.exp(-v))

    def forward(z, c):
        f = _s(z[:, :2])
        u = np.tanh(z[:, 2:])
        cn = f * c + u
        return (np.tanh(cn), cn)

    def backward(g, z, c):
        f = _s(z[:, :2])
        u = np.tanh(z[:, 2:])
        cn = f * c + u
        dc = g[0] * (1 - np.tanh(cn) ** 2)
        return (np.concatenate([dc * c * f * (1 - f), dc * (1 - u * u)], 1), dc * f)

    return forward, backward


@mutant("output-contribution-missing", {"x": normal(3, 4)}, "x")
def three_outputs():
    def forward(x):
        return (x.sum(1), np.tanh(x), (x * x).mean())

    def backward(g, x):
        return (g[0][:, None] + g[1] * (1 - np.tanh(x) ** 2),)

    return forward, backward


@mutant("overlap-overwrite", {"x": distinct(2, 7)}, "x", also=("loop-overwrites-accumulator",))
def maxpool_overlap():
    def forward(x):
        return np.stack([x[:, i : i + 3].max(1) for i in range(5)], 1)

    def backward(g, x):
        d = np.zeros_like(x)
        for i in range(5):
            j = i + x[:, i : i + 3].argmax(1)
            d[np.arange(len(x)), j] = g[:, i]
        return (d,)

    return forward, backward


@mutant(
    "overlap-overwrite",
    {"x": normal(2, 9), "w": normal(3)},
    "x",
    options={"stride": 2},
    also=("loop-overwrites-accumulator",),
)
def convt_overlap():
    def forward(x, w, stride=2):
        return np.stack([x[:, i * stride : i * stride + 3] @ w for i in range(4)], 1)

    def backward(g, x, w, stride=2):
        d = np.zeros_like(x)
        for i in range(4):
            d[:, i * stride : i * stride + 3] = g[:, i : i + 1] * w
        return (d,)

    return forward, backward


@mutant("overlap-overwrite", {"x": normal(5, 5), "w": normal(3, 3)}, "x", also=("loop-overwrites-accumulator",))
def im2col_overlap():
    def forward(x, w):
        return np.array([[(x[i : i + 3, j : j + 3] * w).sum() for j in range(3)] for i in range(3)])

    def backward(g, x, w):
        d = np.zeros_like(x)
        for i in range(3):
            for j in range(3):
                d[i : i + 3, j : j + 3] = g[i, j] * w
        return (d,)

    return forward, backward


@mutant("overlap-overwrite", {"w": normal(3), "x": normal(8)}, "x", also=("loop-overwrites-accumulator",))
def convt1d_overlap():
    def forward(w, x):
        return np.array([x[2 * i : 2 * i + 3] @ w for i in range(3)])

    def backward(g, w, x):
        d = np.zeros_like(x)
        for i in range(3):
            d[2 * i : 2 * i + 3] = g[i] * w
        return (d,)

    return forward, backward


@mutant("recurrent-path-missing", {"x": normal(4, 2), "U": normal(2, 2), "R": normal(2, 2)}, ("x", "U", "R"))
def gru_no_carry():
    def _s(v):
        return 1 / (1 + np.exp(-v))

    def forward(x, U, R):
        h = np.zeros(R.shape[0])
        o = []
        for v in x:
            z = _s(v @ U + h @ R)
            h = (1 - z) * h + z * np.tanh(v @ U)
            o.append(h)
        return np.stack(o)

    def backward(g, x, U, R):
        hs = forward(x, U, R)
        dx = np.zeros_like(x)
        dU = np.zeros_like(U)
        dR = np.zeros_like(R)
        for t in range(len(x)):
            hp = hs[t - 1] if t else np.zeros(R.shape[0])
            z = _s(x[t] @ U + hp @ R)
            c = np.tanh(x[t] @ U)
            dz = g[t] * (c - hp) * z * (1 - z)
            dc = g[t] * z * (1 - c * c)
            dx[t] = U @ (dz + dc)
            dU += np.outer(x[t], dz + dc)
            dR += np.outer(hp, dz)
        return (dx, dU, dR)

    return forward, backward
