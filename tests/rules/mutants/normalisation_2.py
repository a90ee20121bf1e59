"""Wrong backward passes: normalisation layers."""

import numpy as np

from ..draws import normal, positive, uniform
from ..stand import mutant


@mutant("epsilon-mismatch", {"x": uniform(0.001, 0.02, 6)}, "x", options={"eps": 0.001})
def sqrt_eps():
    def forward(x, eps=0.001):
        return np.sqrt(x + eps)

    def backward(g, x, eps=0.001):
        return (0.5 * g / np.sqrt(x),)

    return forward, backward


@mutant("epsilon-mismatch", {"x": normal(2, 2, 6, scale=0.01)}, "x", also=("norm-power-wrong",))
def instancenorm_eps_hidden():
    def forward(x):
        return (x - x.mean(2, keepdims=True)) / np.sqrt(x.var(2, keepdims=True) + 1e-05)

    def backward(g, x):
        s = np.sqrt(x.var(2, keepdims=True) + 1e-05)
        c = x - x.mean(2, keepdims=True)
        return (
            (g - g.mean(2, keepdims=True)) / s - c * (g * c).mean(2, keepdims=True) / (s * x.var(2, keepdims=True)),
        )

    return forward, backward


@mutant("epsilon-mismatch", {"a": normal(3, 4, scale=0.05), "b": normal(3, 4, scale=0.05)}, "a", options={"eps": 0.01})
def cos_sim_eps():
    def forward(a, b, eps=0.01):
        return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + eps)

    def backward(g, a, b, eps=0.01):
        na = np.linalg.norm(a, axis=1, keepdims=True)
        nb = np.linalg.norm(b, axis=1, keepdims=True)
        c = (a * b).sum(1, keepdims=True) / (na * nb)
        return (g[:, None] * (b / nb - c * a / na) / na,)

    return forward, backward


@mutant(
    "mean-path-missing",
    {"x": normal(5, 2), "gamma": positive(2), "beta": normal(2)},
    "x",
    also=("statistics-treated-as-constants",),
)
def batchnorm_no_mean():
    def forward(x, gamma, beta):
        return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-05) + beta

    def backward(g, x, gamma, beta):
        inv = 1 / np.sqrt(x.var(0) + 1e-05)
        h = (x - x.mean(0)) * inv
        d = g * gamma
        return (inv * (d - h * (d * h).mean(0)),)

    return forward, backward


@mutant(
    "mean-path-missing",
    {"x": normal(2, 3, 5), "w": positive(5), "b": normal(5)},
    "x",
    also=("statistics-treated-as-constants",),
)
def ln3d_no_mean():
    def forward(x, w, b):
        return w * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-05) + b

    def backward(g, x, w, b):
        s = 1 / np.sqrt(x.var(-1, keepdims=True) + 1e-05)
        h = (x - x.mean(-1, keepdims=True)) * s
        d = g * w
        return (s * (d - h * (d * h).mean(-1, keepdims=True)),)

    return forward, backward


@mutant(
    "mean-path-missing",
    {"x": normal(3, 4)},
    "x",
    also=("statistics-treated-as-constants", "straight-through-estimator"),
)
def centre_only():
    def forward(x):
        return x - x.mean(1, keepdims=True)

    def backward(g, x):
        return (g.copy(),)

    return forward, backward


@mutant("norm-power-wrong", {"x": normal(4, 3, scale=2.0)}, "x")
def l2norm_cols_power():
    def forward(x):
        return x / np.linalg.norm(x, axis=0)

    def backward(g, x):
        n = np.linalg.norm(x, axis=0)
        return (g / n - x * (g * x).sum(0) / n**2,)

    return forward, backward


@mutant("norm-power-wrong", {"x": normal(3, 6, scale=2.0)}, "x")
def layernorm_std_power():
    def forward(x):
        return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-05)

    def backward(g, x):
        s = np.sqrt(x.var(1, keepdims=True) + 1e-05)
        c = x - x.mean(1, keepdims=True)
        return ((g - g.mean(1, keepdims=True)) / s - c * (g * c).mean(1, keepdims=True) / s**2,)

    return forward, backward


@mutant("norm-power-wrong", {"x": normal(3, 6)}, "x", options={"alpha": 0.7, "beta": 0.75})
def lrn_power():
    def _s(x, k, a, n):
        p = np.pad(x * x, ((0, 0), (n // 2, n // 2)))
        return k + a / n * np.stack([p[:, i : i + n].sum(1) for i in range(x.shape[1])], 1)

    def forward(x, alpha=0.7, beta=0.75):
        return x * _s(x, 1.0, alpha, 3) ** (-beta)

    def backward(g, x, alpha=0.7, beta=0.75):
        s = _s(x, 1.0, alpha, 3)
        r = g * x * s ** (-beta)
        p = np.pad(r, ((0, 0), (1, 1)))
        return (
            g * s ** (-beta)
            - 2 * alpha * beta / 3 * x * np.stack([p[:, i : i + 3].sum(1) for i in range(x.shape[1])], 1),
        )

    return forward, backward
