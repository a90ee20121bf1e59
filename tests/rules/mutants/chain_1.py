"""Wrong backward passes: the chain, product and quotient rule."""

import numpy as np

from ..draws import normal, positive, simplex, uniform, values
from ..stand import mutant


@mutant("additive-constant-offset", {"p": simplex(3, 4)}, "p", also=("product-rule-term-missing",))
def entropy_no_one():
    def forward(p):
        return -(p * np.log(p)).sum()

    def backward(g, p):
        return (-g * np.log(p),)

    return forward, backward


@mutant("additive-constant-offset", {"p": simplex(3, 4)}, "p", also=("product-rule-term-missing",))
def entropy_rows_no_one():
    def forward(p):
        return -(p * np.log(p)).sum(1)

    def backward(g, p):
        return (-g[:, None] * np.log(p),)

    return forward, backward


@mutant("additive-term-wrong-scale", {"w": normal(6), "X": normal(5, 6), "y": normal(5)}, "w", options={"lam": 0.4})
def lasso_penalty():
    def forward(w, X, y, lam=0.4):
        return ((X @ w - y) ** 2).mean() + lam * np.abs(w).sum()

    def backward(g, w, X, y, lam=0.4):
        return (g * (2 * X.T @ (X @ w - y) / len(y) + lam * np.sign(w) / len(y)),)

    return forward, backward


@mutant(
    "additive-term-wrong-scale",
    {"w": normal(4), "X": normal(6, 4), "y": values([0, 1, 1, 0, 1, 0], dtype=float)},
    "w",
    options={"reg": 0.1},
)
def logreg_l2_missing():
    def forward(w, X, y, reg=0.1):
        z = X @ w
        return (np.log1p(np.exp(z)) - y * z).mean() + 0.5 * reg * (w @ w)

    def backward(g, w, X, y, reg=0.1):
        z = X @ w
        return (g * (X.T @ (1 / (1 + np.exp(-z)) - y) / len(y) + 2 * reg * w),)

    return forward, backward


@mutant("additive-term-wrong-scale", {"W": normal(3, 2), "X": normal(4, 3)}, "W", options={"wd": 0.1})
def wd_offset():
    def forward(W, X, wd=0.1):
        return X @ W

    def backward(g, W, X, wd=0.1):
        return (X.T @ g + wd * W,)

    return forward, backward


@mutant("additive-term-wrong-scale", {"w": normal(5), "X": normal(7, 5), "y": normal(7)}, "w", options={"l2": 0.25})
def ridge_penalty_missing():
    def forward(w, X, y, l2=0.25):
        return ((X @ w - y) ** 2).mean() + l2 * (w * w).sum()

    def backward(g, w, X, y, l2=0.25):
        return (g * 2 * X.T @ (X @ w - y) / len(y),)

    return forward, backward


@mutant(
    "factor-treated-as-constant",
    {"x": normal(3, 5)},
    "x",
    also=("product-rule-term-missing", "norm-treated-as-constant"),
)
def attn_pool_detached():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return (_sm(x) * x).sum(1)

    def backward(g, x):
        return (g[:, None] * _sm(x),)

    return forward, backward


@mutant(
    "factor-treated-as-constant",
    {"p": uniform(0.1, 0.9, 6)},
    "p",
    options={"gamma": 1.5},
    also=("product-rule-term-missing",),
)
def focal_multi():
    def forward(p, gamma=1.5):
        return -((1 - p) ** gamma) * np.log(p)

    def backward(g, p, gamma=1.5):
        return (-g * (1 - p) ** gamma / p,)

    return forward, backward


@mutant("factor-treated-as-constant", {"x": normal(3, 4)}, "x", also=("product-rule-term-missing", "mean-path-missing"))
def se_block_gate():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(x):
        return x * _sg(x.mean(1, keepdims=True))

    def backward(g, x):
        return (g * _sg(x.mean(1, keepdims=True)),)

    return forward, backward


@mutant(
    "factor-treated-as-constant",
    {"x": normal(3, 4)},
    "x",
    also=("norm-treated-as-constant", "quotient-rule-error", "product-rule-term-missing"),
)
def softmax_denominator_const():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x)

    def backward(g, x):
        return (g * _sm(x),)

    return forward, backward


@mutant("factor-two-in-one-path", {"x": normal(3, 5, scale=1.5), "gamma": positive(5)}, "x")
def layernorm_dvar_two():
    def forward(x, gamma):
        return gamma * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-05)

    def backward(g, x, gamma):
        s = np.sqrt(x.var(1, keepdims=True) + 1e-05)
        h = (x - x.mean(1, keepdims=True)) / s
        d = g * gamma
        return ((d - d.mean(1, keepdims=True) - 0.5 * h * (d * h).mean(1, keepdims=True)) / s,)

    return forward, backward
