"""Wrong backward passes: normalisation layers."""

import numpy as np

from ..draws import away, normal, positive
from ..stand import mutant


@mutant(
    "norm-treated-as-constant",
    {"x": normal(3, 5), "w": positive(5)},
    ("x", "w"),
    also=("statistics-treated-as-constants",),
)
def rmsnorm_const():
    def forward(x, w):
        return w * x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-06)

    def backward(g, x, w):
        r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-06)
        return (g * w * r, (g * x * r).sum(0))

    return forward, backward


@mutant("norm-treated-as-constant", {"x": away(3, 4)}, "x", also=("statistics-treated-as-constants",))
def l1norm_const():
    def forward(x):
        return x / np.abs(x).sum(1, keepdims=True)

    def backward(g, x):
        return (g / np.abs(x).sum(1, keepdims=True),)

    return forward, backward


@mutant(
    "norm-treated-as-constant",
    {"x": normal(3, 6)},
    "x",
    options={"alpha": 0.7, "beta": 0.75},
    also=("factor-treated-as-constant", "statistics-treated-as-constants", "product-rule-term-missing"),
)
def lrn_no_cross():
    def _s(x, k, a, n):
        p = np.pad(x * x, ((0, 0), (n // 2, n // 2)))
        return k + a / n * np.stack([p[:, i : i + n].sum(1) for i in range(x.shape[1])], 1)

    def forward(x, alpha=0.7, beta=0.75):
        return x * _s(x, 1.0, alpha, 3) ** (-beta)

    def backward(g, x, alpha=0.7, beta=0.75):
        return (g * _s(x, 1.0, alpha, 3) ** (-beta),)

    return forward, backward


@mutant("spurious-mean-term", {"x": normal(3, 5), "w": positive(5)}, ("x", "w"))
def rmsnorm_ln_backward():
    def forward(x, w):
        return w * x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-06)

    def backward(g, x, w):
        r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-06)
        h = x * r
        d = g * w
        return (r * (d - d.mean(-1, keepdims=True) - h * (d * h).mean(-1, keepdims=True)), (g * h).sum(0))

    return forward, backward


@mutant("spurious-mean-term", {"x": normal(3, 4)}, "x")
def l2norm_minus_mean():
    def forward(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def backward(g, x):
        n = np.linalg.norm(x, axis=1, keepdims=True)
        y = x / n
        return ((g - g.mean(1, keepdims=True) - y * (g * y).sum(1, keepdims=True)) / n,)

    return forward, backward


@mutant(
    "statistics-treated-as-constants",
    {"x": normal(2, 8)},
    "x",
    options={"groups": 2},
    also=("train-eval-mode-mixup", "mean-path-missing", "variance-path-missing"),
)
def groupnorm_detached():
    def forward(x, groups=2):
        z = x.reshape(len(x), groups, -1)
        return ((z - z.mean(2, keepdims=True)) / np.sqrt(z.var(2, keepdims=True) + 1e-05)).reshape(x.shape)

    def backward(g, x, groups=2):
        z = x.reshape(len(x), groups, -1)
        return ((g.reshape(z.shape) / np.sqrt(z.var(2, keepdims=True) + 1e-05)).reshape(x.shape),)

    return forward, backward


@mutant("statistics-treated-as-constants", {"x": normal(3, 6), "w": positive(6)}, "x", also=("train-eval-mode-mixup",))
def layernorm_detached():
    def forward(x, w):
        return w * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-05)

    def backward(g, x, w):
        return (g * w / np.sqrt(x.var(1, keepdims=True) + 1e-05),)

    return forward, backward


@mutant(
    "train-eval-mode-mixup", {"x": normal(5, 3), "rm": normal(3), "rv": positive(3)}, "x", options={"training": False}
)
def batchnorm_eval_batchstats():
    def forward(x, rm, rv, training=False):
        m, v = (x.mean(0), x.var(0)) if training else (rm, rv)
        return (x - m) / np.sqrt(v + 1e-05)

    def backward(g, x, rm, rv, training=False):
        inv = 1 / np.sqrt(x.var(0) + 1e-05)
        h = (x - x.mean(0)) * inv
        return (inv * (g - g.mean(0) - h * (g * h).mean(0)),)

    return forward, backward


@mutant(
    "train-eval-mode-mixup",
    {"x": normal(6, 3), "gamma": positive(3), "rv": positive(3)},
    "x",
    also=("statistics-treated-as-constants",),
)
def batchnorm_train_running():
    def forward(x, gamma, rv):
        return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-05)

    def backward(g, x, gamma, rv):
        return (g * gamma / np.sqrt(rv + 1e-05),)

    return forward, backward
