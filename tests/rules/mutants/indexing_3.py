"""Wrong backward passes: accumulation and indexing."""

import numpy as np

from ..draws import normal
from ..stand import mutant


@mutant("recurrent-path-missing", {"x": normal(3, 2), "W": normal(2, 2), "R": normal(2, 2)}, "x")
def rnn_last_only():
    def forward(x, W, R):
        h = np.zeros(2)
        for v in x:
            h = np.tanh(v @ W + h @ R)
        return h

    def backward(g, x, W, R):
        h = forward(x, W, R)
        d = np.zeros_like(x)
        d[-1] = W @ (g * (1 - h * h))
        return (d,)

    return forward, backward


@mutant("recurrent-path-missing", {"z": normal(4, 6)}, "z")
def lstm_no_c_carry():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(z):
        c = np.zeros(2)
        o = []
        for v in z:
            f, i, u = (_sg(v[:2]), _sg(v[2:4]), np.tanh(v[4:]))
            c = f * c + i * u
            o.append(np.tanh(c))
        return np.stack(o)

    def backward(g, z):
        d = np.zeros_like(z)
        cs = [np.zeros(2)]
        for v in z:
            cs.append(_sg(v[:2]) * cs[-1] + _sg(v[2:4]) * np.tanh(v[4:]))
        for t, v in enumerate(z):
            f, i, u = (_sg(v[:2]), _sg(v[2:4]), np.tanh(v[4:]))
            dc = g[t] * (1 - np.tanh(cs[t + 1]) ** 2)
            d[t] = np.concatenate([dc * cs[t] * f * (1 - f), dc * u * i * (1 - i), dc * i * (1 - u * u)])
        return (d,)

    return forward, backward


@mutant("recurrent-path-missing", {"x": normal(5, 2), "W": normal(2, 2), "R": normal(2, 2)}, "x")
def rnn_trunc_one():
    def forward(x, W, R):
        h = np.zeros(2)
        o = []
        for v in x:
            h = np.tanh(v @ W + h @ R)
            o.append(h)
        return np.stack(o)

    def backward(g, x, W, R):
        h = forward(x, W, R)
        d = np.zeros_like(x)
        z = g * (1 - h * h)
        for t in range(len(x)):
            d[t] = W @ z[t]
            if t + 1 < len(x):
                d[t] += W @ (R @ z[t + 1] * (1 - h[t] ** 2))
        return (d,)

    return forward, backward


@mutant("recurrent-path-missing", {"x": normal(4, 2), "W": normal(2, 2), "R": normal(2, 2)}, "x")
def rnn_carry_no_deriv():
    def forward(x, W, R):
        h = np.zeros(2)
        o = []
        for v in x:
            h = np.tanh(v @ W + h @ R)
            o.append(h)
        return np.stack(o)

    def backward(g, x, W, R):
        h = forward(x, W, R)
        d = np.zeros_like(x)
        c = np.zeros(2)
        for t in range(len(x) - 1, -1, -1):
            z = g[t] * (1 - h[t] ** 2) + c
            d[t] = W @ z
            c = R @ z
        return (d,)

    return forward, backward


@mutant(
    "reused-input-not-accumulated",
    {"x": normal(3, 4), "W": normal(4, 2)},
    "W",
    also=("product-rule-term-missing", "factor-treated-as-constant"),
)
def tied_autoencoder():
    def forward(x, W):
        return x @ W @ W.T

    def backward(g, x, W):
        return (g.T @ (x @ W),)

    return forward, backward


@mutant(
    "reused-input-not-accumulated",
    {"x": normal(4, 3), "A": normal(3, 3)},
    "x",
    also=("product-rule-term-missing", "factor-treated-as-constant"),
)
def quadratic_form():
    def forward(x, A):
        return np.einsum("ni,ij,nj->n", x, A, x)

    def backward(g, x, A):
        return (g[:, None] * (x @ A.T),)

    return forward, backward


@mutant(
    "reused-input-not-accumulated", {"x": normal(3, 4), "W": normal(4, 4)}, "x", also=("product-rule-term-missing",)
)
def resnet_only_skip():
    def forward(x, W):
        return x + np.maximum(x @ W, 0)

    def backward(g, x, W):
        return (g.copy(),)

    return forward, backward


@mutant(
    "reused-input-not-accumulated",
    {"W": normal(3, 2), "a": normal(4, 3), "b": normal(4, 3)},
    "W",
    also=("product-rule-term-missing", "factor-treated-as-constant"),
)
def siamese_tied():
    def forward(W, a, b):
        return (a @ W * (b @ W)).sum(1)

    def backward(g, W, a, b):
        return (a.T @ (g[:, None] * (b @ W)),)

    return forward, backward


@mutant(
    "reused-input-not-accumulated",
    {"x": normal(3, 4), "W": normal(4, 4), "V": normal(4, 4)},
    "x",
    also=("product-rule-term-missing",),
)
def resblock_linear():
    def forward(x, W, V):
        return x @ V + np.tanh(x @ W)

    def backward(g, x, W, V):
        return (g * (1 - np.tanh(x @ W) ** 2) @ W.T,)

    return forward, backward
