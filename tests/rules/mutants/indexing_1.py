"""Wrong backward passes: accumulation and indexing."""

import numpy as np

from ..draws import distinct, normal, positive, values
from ..stand import mutant


@mutant(
    "duplicate-index-overwrite",
    {"x": normal(3, 4), "idx": values([0, 2, 2, 1, 0])},
    "x",
    also=("loop-overwrites-accumulator",),
)
def gather_axis1_dup():
    def forward(x, idx):
        return x[:, idx]

    def backward(g, x, idx):
        d = np.zeros_like(x)
        d[:, idx] += g
        return (d,)

    return forward, backward


@mutant(
    "duplicate-index-overwrite",
    {"W": normal(5, 2), "idx": values([1, 3, 1, 0]), "c": positive(4)},
    "W",
    also=("loop-overwrites-accumulator",),
)
def segment_weights_dup():
    def forward(W, idx, c):
        return (W[idx] * c[:, None]).sum() + 0 * W.sum()

    def backward(g, W, idx, c):
        d = np.zeros_like(W)
        d[idx] += g * c[:, None]
        return (d,)

    return forward, backward


@mutant(
    "duplicate-index-overwrite",
    {"x": normal(5, 2), "idx": values([0, 2, 0, 1, 2])},
    "x",
    also=("loop-overwrites-accumulator", "overlap-overwrite"),
)
def scatter_dup():
    def forward(x, idx):
        return x[idx] ** 2

    def backward(g, x, idx):
        d = np.zeros_like(x)
        d[idx] = 2 * x[idx] * g
        return (d,)

    return forward, backward


@mutant("early-exit-from-loop", {"x": distinct(3, 6)}, "x")
def maxpool1d_early():
    def forward(x):
        return x.reshape(3, 3, 2).max(2)

    def backward(g, x):
        d = np.zeros_like(x)
        for n in range(len(x)):
            for j in range(3):
                d[n, 2 * j + x[n, 2 * j : 2 * j + 2].argmax()] = g[n, j]
            break
        return (d,)

    return forward, backward


@mutant("early-exit-from-loop", {"x": normal(4, 3), "W": normal(3, 2)}, "x")
def linear_dx_break():
    def forward(x, W):
        return np.tanh(x @ W)

    def backward(g, x, W):
        d = np.zeros_like(x)
        for i in range(len(x)):
            d[i] = W @ (g[i] * (1 - np.tanh(x[i] @ W) ** 2))
            break
        return (d,)

    return forward, backward


@mutant(
    "loop-overwrites-accumulator", {"x": normal(4, 3), "W": normal(3, 2)}, ("x", "W"), also=("upstream-partially-used",)
)
def linear_dw_last():
    def forward(x, W):
        return x @ W

    def backward(g, x, W):
        for i in range(len(x)):
            dW = np.outer(x[i], g[i])
        return (g @ W.T, dW)

    return forward, backward


@mutant("loop-overwrites-accumulator", {"w": normal(3), "X": normal(5, 3), "y": normal(5)}, "w")
def mse_dw_last_sample():
    def forward(w, X, y):
        return ((X @ w - y) ** 2).mean()

    def backward(g, w, X, y):
        for i in range(len(y)):
            d = 2 * (X[i] @ w - y[i]) * X[i]
        return (g * d / len(y),)

    return forward, backward


@mutant("loop-overwrites-accumulator", {"x": normal(8), "w": normal(3)}, ("x", "w"), also=("upstream-partially-used",))
def conv_dw_last_window():
    def forward(x, w):
        return np.array([x[i : i + 3] @ w for i in range(len(x) - 2)])

    def backward(g, x, w):
        d = np.zeros_like(x)
        for i in range(len(g)):
            d[i : i + 3] += g[i] * w
            dw = g[i] * x[i : i + 3]
        return (d, dw)

    return forward, backward


@mutant(
    "loop-overwrites-accumulator", {"x": normal(4, 2), "W": normal(2, 3)}, ("x", "W"), also=("upstream-partially-used",)
)
def rnn_dw_last_step():
    def forward(x, W):
        return np.tanh(x @ W)

    def backward(g, x, W):
        d = g * (1 - np.tanh(x @ W) ** 2)
        for t in range(len(x)):
            dW = np.outer(x[t], d[t])
        return (d @ W.T, dW)

    return forward, backward


@mutant("missing-input-gradient", {"Q": normal(3, 2), "K": normal(4, 2), "V": normal(4, 2)}, ("Q", "K", "V"))
def attention_dv_zero():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(Q, K, V):
        return _sm(Q @ K.T / np.sqrt(Q.shape[1])) @ V

    def backward(g, Q, K, V):
        s = 1 / np.sqrt(Q.shape[1])
        p = _sm(Q @ K.T * s)
        dp = g @ V.T
        ds = p * (dp - (dp * p).sum(1, keepdims=True))
        return (s * ds @ K, s * ds.T @ Q, np.zeros_like(V))

    return forward, backward
