"""Wrong backward passes: numerics and dtype."""

import numpy as np

from ..draws import normal, values
from ..stand import mutant


@mutant("division-by-input-at-zero", {"x": values([[1.2, 0.0, -0.7, 2.0], [0.5, 1.5, -1.0, 0.8]])}, "x")
def cumprod_ratio():
    def forward(x):
        return np.cumprod(x, 1)

    def backward(g, x):
        y = np.cumprod(x, 1)
        s = np.flip(np.cumsum(np.flip(g * y, 1), 1), 1)
        with np.errstate(all="ignore"):
            return (np.nan_to_num(s / x, nan=0, posinf=0, neginf=0),)

    return forward, backward


@mutant("division-by-input-at-zero", {"x": values([[1.2, 0.0, -0.7], [0.5, 1.5, -1.0]])}, "x")
def prod_ratio():
    def forward(x):
        return x.prod(1)

    def backward(g, x):
        with np.errstate(all="ignore"):
            return (np.nan_to_num(g[:, None] * x.prod(1, keepdims=True) / x, nan=0),)

    return forward, backward


@mutant("dtype-truncation", {"x": values([[1, 2], [3, -4]])}, "x", scale=20.0)
def int_square():
    def forward(x):
        return np.tanh(x * 0.3)

    def backward(g, x):
        d = np.empty_like(x)
        d[...] = g * 0.3 * (1 - np.tanh(x * 0.3) ** 2)
        return (d,)

    return forward, backward


@mutant("dtype-truncation", {"x": normal(3, 2), "W": values([[1, 2, -1], [3, 0, 2]])}, ("x", "W"), scale=5.0)
def int_weights():
    def forward(x, W):
        return x @ W

    def backward(g, x, W):
        dW = np.zeros_like(W)
        dW[...] = x.T @ g
        return (g @ W.T, dW)

    return forward, backward


@mutant("low-precision-underflow", {"x": normal(4, 5)}, "x", scale=1e-06)
def mean_half_precision():
    def forward(x):
        return (x**2).mean(1)

    def backward(g, x):
        return ((g.astype(np.float16)[:, None] * (2 * x / x.shape[1]).astype(np.float16)).astype(float),)

    return forward, backward


@mutant("low-precision-underflow", {"x": normal(3, 4)}, "x")
def sum_count_f16():
    def forward(x):
        return np.tanh(x)

    def backward(g, x):
        return (np.float64(np.float16(g) * np.float16(1 - np.tanh(x) ** 2)),)

    return forward, backward


@mutant("low-precision-underflow", {"x": normal(3, 4), "W": normal(4, 2)}, "x")
def f16_linear():
    def forward(x, W):
        return x @ W

    def backward(g, x, W):
        return ((g.astype(np.float16) @ W.T.astype(np.float16)).astype(np.float64),)

    return forward, backward


@mutant("nan-at-special-point", {"x": values([[0.0, 0.0], [3.0, 4.0]])}, "x")
def l2norm_zero_row():
    def forward(x):
        return (x * x).sum(1) ** 1.5

    def backward(g, x):
        n = np.sqrt((x * x).sum(1, keepdims=True))
        return (3 * g[:, None] * n**3 * x / n**2,)

    return forward, backward


@mutant("nan-at-special-point", {"p": values([0.0, 0.5, 0.2]), "q": values([0.1, 0.3, 0.6])}, "q")
def xlogx_zero():
    def forward(p, q):
        return np.where(p > 0, p * np.log(np.where(p > 0, p, 1) / q), 0.0)

    def backward(g, p, q):
        return (-g * p / q * (p * np.log(p)) / (p * np.log(p)),)

    return forward, backward


@mutant("unstable-backward-overflow", {"x": normal(6, scale=900.0), "t": values([0, 1, 0, 1, 1, 0], dtype=float)}, "x")
def bce_logits_exp():
    def forward(x, t):
        return np.mean(np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))))

    def backward(g, x, t):
        e = np.exp(x)
        return (g * (e / (1 + e) - t) / x.size,)

    return forward, backward


@mutant("unstable-backward-overflow", {"x": normal(5, loc=800.0)}, "x")
def softplus_overflow():
    def forward(x):
        return np.logaddexp(0, x)

    def backward(g, x):
        e = np.exp(x)
        return (g * e / (1 + e),)

    return forward, backward
