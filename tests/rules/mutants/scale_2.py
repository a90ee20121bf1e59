"""Wrong backward passes: scale and reduction."""

import numpy as np

from ..draws import normal, positive, values
from ..stand import mutant


@mutant(
    "sample-weight-not-in-backward",
    {"x": normal(5, 3), "t": normal(5, 3), "w": positive(5)},
    "x",
    also=("missing-inner-factor",),
)
def weighted_mse():
    def forward(x, t, w):
        return (w[:, None] * (x - t) ** 2).sum() / w.sum()

    def backward(g, x, t, w):
        return (2 * g * (x - t) / len(x),)

    return forward, backward


@mutant(
    "sample-weight-not-in-backward",
    {"z": normal(6), "t": positive(6), "w": positive(6)},
    "z",
    also=("missing-inner-factor",),
)
def poisson_weight_none():
    def forward(z, t, w):
        return w * (np.exp(z) - t * z)

    def backward(g, z, t, w):
        return (g * (np.exp(z) - t),)

    return forward, backward


@mutant(
    "sample-weight-not-in-backward",
    {"x": normal(3, 4), "t": normal(3, 4), "w": positive(3, 4)},
    "x",
    also=("missing-inner-factor",),
)
def pixel_weights():
    def forward(x, t, w):
        return (w * (x - t) ** 2).mean()

    def backward(g, x, t, w):
        return (2 * g * (x - t) / x.size,)

    return forward, backward


@mutant(
    "sample-weight-not-in-backward",
    {"x": normal(4, 3), "t": values([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 0]], dtype=float)},
    "x",
    options={"pos_weight": 2.5},
)
def alpha_balanced():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(x, t, pos_weight=2.5):
        p = _sg(x)
        return -(pos_weight * t * np.log(p) + (1 - t) * np.log(1 - p)).sum(1)

    def backward(g, x, t, pos_weight=2.5):
        return (g[:, None] * (_sg(x) - t),)

    return forward, backward


@mutant("wrong-normaliser-count", {"x": normal(2, 6)}, "x", options={"k": 3}, also=("sample-weight-not-in-backward",))
def avgpool_pad_count():
    def forward(x, k=3):
        p = np.pad(x, ((0, 0), (1, 1)))
        c = np.pad(np.ones(x.shape[1]), 1)
        return np.stack([p[:, i : i + k].sum(1) / c[i : i + k].sum() for i in range(x.shape[1])], 1)

    def backward(g, x, k=3):
        d = np.zeros((x.shape[0], x.shape[1] + 2))
        for i in range(x.shape[1]):
            d[:, i : i + k] += g[:, i : i + 1] / k
        return (d[:, 1:-1],)

    return forward, backward


@mutant(
    "wrong-normaliser-count",
    {"x": normal(4, 3), "t": normal(4, 3), "m": values([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 1]], dtype=float)},
    "x",
)
def masked_mse_count():
    def forward(x, t, m):
        return (m * (x - t) ** 2).sum() / m.sum()

    def backward(g, x, t, m):
        return (2 * g * m * (x - t) / x.size,)

    return forward, backward


@mutant("wrong-normaliser-count", {"x": normal(2, 3, 2, 2)}, "x", also=("missing-one-over-n",))
def bn2d_param_count():
    def forward(x):
        return np.tanh(x).mean((0, 2, 3))

    def backward(g, x):
        return (g[None, :, None, None] * (1 - np.tanh(x) ** 2) / len(x),)

    return forward, backward


@mutant(
    "wrong-normaliser-count",
    {"x": normal(3, 5), "length": values([2, 5, 3])},
    "x",
    also=("sample-weight-not-in-backward",),
)
def masked_mean_len():
    def _m(x, lo):
        return np.arange(x.shape[1]) < lo[:, None]

    def forward(x, length):
        return (x * _m(x, length)).sum(1) / length

    def backward(g, x, length):
        return (g[:, None] * _m(x, length) / x.shape[1],)

    return forward, backward


@mutant("wrong-normaliser-count", {"x": normal(2, 7)}, "x", also=("sample-weight-not-in-backward",))
def adaptive_pool_count():
    def _b(n, m):
        return [(int(np.floor(i * n / m)), int(np.ceil((i + 1) * n / m))) for i in range(m)]

    def forward(x):
        return np.stack([x[:, a:b].mean(1) for a, b in _b(x.shape[1], 3)], 1)

    def backward(g, x):
        d = np.zeros_like(x)
        for j, (a, b) in enumerate(_b(x.shape[1], 3)):
            d[:, a:b] += g[:, j : j + 1] * 3 / x.shape[1]
        return (d,)

    return forward, backward
