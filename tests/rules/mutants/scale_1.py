"""Wrong backward passes: scale and reduction."""

import numpy as np

from ..draws import normal, simplex, values
from ..stand import mutant


@mutant("ddof-mismatch", {"x": normal(3, 6)}, "x", options={"correction": 1}, also=("wrong-normaliser-count",))
def std_ddof():
    def forward(x, correction=1):
        return x.std(1, ddof=correction)

    def backward(g, x, correction=1):
        c = x - x.mean(1, keepdims=True)
        n = x.shape[1]
        return (g[:, None] * c / (n * x.std(1, ddof=correction, keepdims=True)),)

    return forward, backward


@mutant("ddof-mismatch", {"x": normal(7)}, "x", also=("wrong-normaliser-count",))
def sample_variance():
    def forward(x):
        return x.var(ddof=1)

    def backward(g, x):
        return (g * 2 * (x - x.mean()) / len(x),)

    return forward, backward


@mutant("extra-one-over-n", {"x": normal(5, 3), "W": normal(3, 2)}, ("x", "W"))
def linear_extra_n():
    def forward(x, W):
        return x @ W

    def backward(g, x, W):
        return (g @ W.T, x.T @ g / len(x))

    return forward, backward


@mutant("extra-one-over-n", {"s": normal(9, scale=0.1), "y": values([1, -1, 1, 1, -1, -1, 1, -1, 1], dtype=float)}, "s")
def hinge_mean_twice():
    def forward(s, y):
        return np.maximum(0, 1 - y * s).mean()

    def backward(g, s, y):
        d = -y * (1 - y * s > 0) / len(y)
        return (g * d / len(y),)

    return forward, backward


@mutant("factor-two", {"s": normal(8), "y": values([1, -1, 1, 1, -1, -1, 1, -1], dtype=float)}, "s")
def squared_hinge_two():
    def forward(s, y):
        return (np.maximum(0, 1 - y * s) ** 2).mean()

    def backward(g, s, y):
        return (-g * y * np.maximum(0, 1 - y * s) / len(y),)

    return forward, backward


@mutant("factor-two", {"x": normal(3, 4)}, "x")
def energy_half():
    def forward(x):
        return 0.5 * (x * x).sum(1)

    def backward(g, x):
        return (2 * g[:, None] * x,)

    return forward, backward


@mutant("missing-one-over-n", {"x": normal(3, 5)}, "x", also=("wrong-normaliser-count",))
def mean_axis_sum():
    def forward(x):
        return np.tanh(x).mean(0)

    def backward(g, x):
        return (np.broadcast_to(g, x.shape) * (1 - np.tanh(x) ** 2),)

    return forward, backward


@mutant("missing-one-over-n", {"w": normal(3), "X": normal(5, 3)}, "w")
def logistic_sum():
    def forward(w, X):
        return np.log1p(np.exp(X @ w)).mean()

    def backward(g, w, X):
        return (g * X.T @ (1 / (1 + np.exp(-X @ w))),)

    return forward, backward


@mutant("missing-one-over-n", {"x": normal(4, 3), "t": normal(4, 3)}, "x", also=("wrong-normaliser-count",))
def log_cosh_sum():
    def forward(x, t):
        return np.log(np.cosh(x - t)).mean()

    def backward(g, x, t):
        return (g * np.tanh(x - t),)

    return forward, backward


@mutant(
    "reduction-mode-ignored",
    {"lq": normal(4, 3), "p": simplex(4, 3)},
    "lq",
    options={"reduction": "sum"},
    also=("extra-one-over-n", "wrong-normaliser-count"),
)
def kl_batchmean():
    def forward(lq, p, reduction="sum"):
        v = p * (np.log(p) - lq)
        return {"sum": v.sum(), "mean": v.mean(), "batchmean": v.sum() / len(p)}[reduction]

    def backward(g, lq, p, reduction="sum"):
        return (-g * p / p.size,)

    return forward, backward


@mutant(
    "reduction-mode-ignored",
    {"x": normal(4, 3), "t": normal(4, 3)},
    "x",
    options={"size_average": False},
    also=("extra-one-over-n",),
)
def mse_size_average():
    def forward(x, t, size_average=False):
        v = (x - t) ** 2
        return v.mean() if size_average else v.sum()

    def backward(g, x, t, size_average=False):
        return (2 * g * (x - t) / x.size,)

    return forward, backward
