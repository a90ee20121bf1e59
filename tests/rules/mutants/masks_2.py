"""Wrong backward passes: masks, branches, ties and labels."""

import numpy as np

from ..draws import bernoulli, normal, values
from ..stand import mutant


@mutant("loose-equality-mask", {"x": values([1.0, 1.005, 3.0, 2.0, -1.0, -1.002, 0.5, 0.1])}, "x")
def maxpool_tol():
    def forward(x):
        return x.reshape(-1, 2).max(1)

    def backward(g, x):
        z = x.reshape(-1, 2)
        return ((g[:, None] * (np.abs(z - z.max(1, keepdims=True)) < 0.01)).ravel(),)

    return forward, backward


@mutant("loose-equality-mask", {"x": values([[1.0, 1.003, 4.0], [0.3, -2.0, -1.996], [5.0, 1.0, 2.0]])}, "x")
def min_isclose():
    def forward(x):
        return x.min(1)

    def backward(g, x):
        return (g[:, None] * (np.abs(x - x.min(1, keepdims=True)) < 0.01),)

    return forward, backward


@mutant(
    "mask-fill-value-leaks",
    {"x": normal(3, 4), "m": values([[1, 0, 1, 1], [0, 0, 1, 1], [1, 1, 1, 0]], dtype=float)},
    "x",
    options={"fill": -5.0},
)
def masked_fill_leak():
    def forward(x, m, fill=-5.0):
        return np.where(m > 0, 2 * x, fill)

    def backward(g, x, m, fill=-5.0):
        return (np.where(m > 0, 2 * g, fill),)

    return forward, backward


@mutant("mask-fill-value-leaks", {"x": normal(4, 3), "length": values([1, 3, 2, 2])}, "x", options={"pad_value": 9.0})
def padded_rows_leak():
    def _k(x, length):
        return np.arange(x.shape[1]) < length[:, None]

    def forward(x, length, pad_value=9.0):
        return np.where(_k(x, length), np.tanh(x), pad_value)

    def backward(g, x, length, pad_value=9.0):
        return (np.where(_k(x, length), g * (1 - np.tanh(x) ** 2), pad_value),)

    return forward, backward


@mutant(
    "mask-not-applied-in-backward",
    {"x": normal(3, 4, 2), "m": values([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]], dtype=float)},
    "x",
    also=("saturation-mask-missing",),
)
def masked_mean_no_mask():
    def forward(x, m):
        return (x * m[:, :, None]).sum(1) / m.sum(1)[:, None]

    def backward(g, x, m):
        return (np.repeat(g[:, None, :], x.shape[1], 1) / m.sum(1)[:, None, None],)

    return forward, backward


@mutant("mask-not-applied-in-backward", {"Q": normal(4, 3), "K": normal(4, 3)}, ("Q", "K"), options={"causal": True})
def causal_scores():
    def forward(Q, K, causal=True):
        s = Q @ K.T
        return np.tril(s) if causal else s

    def backward(g, Q, K, causal=True):
        return (g @ K, g.T @ Q)

    return forward, backward


@mutant(
    "mask-not-applied-in-backward",
    {"x": normal(3, 5), "length": values([2, 5, 3])},
    "x",
    also=("saturation-mask-missing", "branch-condition-wrong"),
)
def seq_len_mask():
    def forward(x, length):
        return np.where(np.arange(x.shape[1]) < length[:, None], x, 0.0).sum(1)

    def backward(g, x, length):
        return (np.repeat(g[:, None], x.shape[1], 1),)

    return forward, backward


@mutant(
    "mask-not-applied-in-backward",
    {"Q": normal(3, 2), "K": normal(4, 2), "m": bernoulli(3, 4, p=0.6, pin=[((0, 0), 0.0)])},
    ("Q", "K"),
)
def dropout_mask_attn():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(Q, K, m):
        return _sm(Q @ K.T) * m

    def backward(g, Q, K, m):
        p = _sm(Q @ K.T)
        d = p * (g - (g * p).sum(1, keepdims=True))
        return (d @ K, d.T @ Q)

    return forward, backward


@mutant(
    "mask-not-applied-in-backward",
    {"W": normal(5, 2), "idx": values([1, 0, 3, 0, 4])},
    "W",
    options={"padding_idx": 0},
    also=("ignore-index-not-masked", "saturation-mask-missing"),
)
def embedding_padding_idx():
    def forward(W, idx, padding_idx=0):
        return W[idx] * (idx != padding_idx)[:, None]

    def backward(g, W, idx, padding_idx=0):
        d = np.zeros_like(W)
        np.add.at(d, idx, g)
        return (d,)

    return forward, backward


@mutant(
    "saturation-mask-missing",
    {"x": normal(4, 4, scale=5.0)},
    "x",
    also=("straight-through-estimator", "branch-condition-wrong"),
)
def relu6_pass():
    def forward(x):
        return np.minimum(np.maximum(x, 0), 6)

    def backward(g, x):
        return (g * (x > 0),)

    return forward, backward


@mutant(
    "saturation-mask-missing",
    {"x": normal(4, 4, scale=3.0)},
    "x",
    also=("straight-through-estimator", "branch-condition-wrong"),
)
def hardsigmoid_pass():
    def forward(x):
        return np.clip(0.2 * x + 0.5, 0, 1)

    def backward(g, x):
        return (0.2 * g,)

    return forward, backward
