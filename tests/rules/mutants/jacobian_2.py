"""Wrong backward passes: Jacobian structure."""

import numpy as np

from ..draws import normal, positive
from ..stand import mutant


@mutant("linear-ops-do-not-commute", {"x": normal(3, 4), "s": positive(4), "W": normal(4, 4)}, "x")
def scale_then_matmul():
    def forward(x, s, W):
        return x * s @ W

    def backward(g, x, s, W):
        return (g * s @ W.T,)

    return forward, backward


@mutant("outer-product-became-dot", {"W": normal(3, 3), "x": normal(3)}, ("W", "x"))
def matvec_dw_dot():
    def forward(W, x):
        return W @ x

    def backward(g, W, x):
        return (np.full_like(W, g @ x.T), W.T @ g)

    return forward, backward


@mutant("outer-product-became-dot", {"x": normal(4), "W": normal(4, 4)}, "W")
def outer_bias_dot():
    def forward(x, W):
        return np.tanh(x @ W)

    def backward(g, x, W):
        d = g * (1 - np.tanh(x @ W) ** 2)
        return (np.zeros_like(W) + x.T @ d,)

    return forward, backward


@mutant(
    "transposed-jacobian",
    {"x": normal(4, 2), "W": normal(2, 2), "R": normal(2, 2)},
    ("x", "W", "R"),
    also=("recurrent-path-missing",),
)
def rnn_r_not_transposed():
    def forward(x, W, R):
        h = np.zeros(2)
        o = []
        for v in x:
            h = np.tanh(v @ W + h @ R)
            o.append(h)
        return np.stack(o)

    def backward(g, x, W, R):
        hs = forward(x, W, R)
        dx = np.zeros_like(x)
        dW = np.zeros_like(W)
        dR = np.zeros_like(R)
        dn = np.zeros(2)
        for t in range(len(x) - 1, -1, -1):
            dz = (g[t] + dn) * (1 - hs[t] ** 2)
            dx[t] = W @ dz
            dW += np.outer(x[t], dz)
            dR += np.outer(hs[t - 1] if t else np.zeros(2), dz)
            dn = dz @ R
        return (dx, dW, dR)

    return forward, backward


@mutant("transposed-jacobian", {"x": normal(4, 3), "W1": normal(3, 3), "W2": normal(3, 3)}, ("x", "W1"))
def mlp_w2_not_transposed():
    def forward(x, W1, W2):
        return np.tanh(x @ W1) @ W2

    def backward(g, x, W1, W2):
        h = np.tanh(x @ W1)
        d = g @ W2 * (1 - h * h)
        return (d @ W1.T, x.T @ d)

    return forward, backward


@mutant("transposed-jacobian", {"x": normal(4, 3), "W": normal(3, 3)}, "x")
def dense_act_w():
    def forward(x, W):
        return np.tanh(x @ W)

    def backward(g, x, W):
        return (g * (1 - np.tanh(x @ W) ** 2) @ W,)

    return forward, backward


@mutant("transposed-jacobian", {"A": normal(3, 3)}, "A")
def inverse_not_transposed():
    def forward(A):
        return np.linalg.inv(A)

    def backward(g, A):
        B = np.linalg.inv(A)
        return (-B @ g @ B,)

    return forward, backward


@mutant("transposed-jacobian", {"A": normal(3, 3)}, "A", also=("permutation-not-inverted",))
def det_forward_cofactor():
    def forward(A):
        return np.linalg.det(A)

    def backward(g, A):
        return (g * np.linalg.det(A) * np.linalg.inv(A),)

    return forward, backward
