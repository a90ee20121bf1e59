"""Wrong backward passes: axes, shapes, permutations and geometry."""

import numpy as np

from ..draws import distinct, normal, values
from ..stand import mutant


@mutant("kernel-not-flipped", {"x": normal(2, 7), "w": normal(3, 2, 3)}, "x")
def conv_channels_flip():
    def forward(x, w):
        n = x.shape[1] - 2
        return np.array([[(x[:, i : i + 3] * w[o]).sum() for i in range(n)] for o in range(3)])

    def backward(g, x, w):
        d = np.zeros_like(x)
        p = np.pad(g, ((0, 0), (2, 2)))
        for c in range(2):
            for i in range(x.shape[1]):
                d[c, i] = (p[:, i : i + 3] * w[:, c]).sum()
        return (d,)

    return forward, backward


@mutant("order-permuted-slices", {"w": normal(4), "x": normal(9)}, "w", also=("kernel-not-flipped",))
def fir_reversed():
    def forward(w, x):
        return np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)])

    def backward(g, w, x):
        return (sum(g[i] * x[i : i + len(w)] for i in range(len(g)))[::-1].copy(),)

    return forward, backward


@mutant(
    "order-permuted-slices",
    {"x": normal(5, 2), "idx": values([3, 0, 4, 1, 2])},
    "x",
    also=("transposed-jacobian", "permutation-not-inverted"),
)
def gather_perm():
    def forward(x, idx):
        return x[idx]

    def backward(g, x, idx):
        return (g[idx],)

    return forward, backward


@mutant(
    "order-permuted-slices",
    {"x": normal(3, 5)},
    "x",
    options={"shift": 2},
    also=("permutation-not-inverted", "transposed-jacobian"),
)
def roll_same():
    def forward(x, shift=2):
        return np.roll(x, shift, 1)

    def backward(g, x, shift=2):
        return (np.roll(g, shift, 1),)

    return forward, backward


@mutant("order-permuted-slices", {"x": normal(3, 5)}, "x", also=("permutation-not-inverted",))
def flip_not_flipped():
    def forward(x):
        return x[:, ::-1] * 2.0

    def backward(g, x):
        return (2.0 * g,)

    return forward, backward


@mutant("order-permuted-slices", {"x": distinct(2, 5)}, "x", also=("permutation-not-inverted",))
def sort_desc_scatter():
    def forward(x):
        return -np.sort(-x, axis=1)

    def backward(g, x):
        d = np.empty_like(g)
        np.put_along_axis(d, np.argsort(x, axis=1), g, 1)
        return (d,)

    return forward, backward


@mutant("order-permuted-slices", {"x": distinct(2, 5)}, "x", also=("permutation-not-inverted", "transposed-jacobian"))
def topk_gather_order():
    def forward(x):
        return np.take_along_axis(x, np.argsort(-x, 1), 1)

    def backward(g, x):
        return (np.take_along_axis(g, np.argsort(-x, 1), 1),)

    return forward, backward


@mutant("padding-offset-wrong", {"x": normal(4, 5), "w": normal(3, 3)}, "x", options={"padding": 1})
def conv2d_pad_crop():
    def forward(x, w, padding=1):
        p = np.pad(x, padding)
        return np.array(
            [[(p[i : i + 3, j : j + 3] * w).sum() for j in range(p.shape[1] - 2)] for i in range(p.shape[0] - 2)]
        )

    def backward(g, x, w, padding=1):
        d = np.zeros((x.shape[0] + 2 * padding, x.shape[1] + 2 * padding))
        for i in range(g.shape[0]):
            for j in range(g.shape[1]):
                d[i : i + 3, j : j + 3] += g[i, j] * w
        return (d[: x.shape[0], : x.shape[1]],)

    return forward, backward


@mutant("padding-offset-wrong", {"x": normal(2, 5)}, "x", options={"pad": 2})
def pad_layer():
    def forward(x, pad=2):
        return np.pad(x, ((0, 0), (pad, pad)))

    def backward(g, x, pad=2):
        return (g[:, : x.shape[1]],)

    return forward, backward


@mutant("permutation-not-inverted", {"x": normal(2, 6)}, "x", options={"groups": 2}, also=("transposed-jacobian",))
def channel_shuffle():
    def forward(x, groups=2):
        return x.reshape(len(x), groups, -1).swapaxes(1, 2).reshape(x.shape)

    def backward(g, x, groups=2):
        return (g.reshape(len(g), groups, -1).swapaxes(1, 2).reshape(x.shape),)

    return forward, backward


@mutant("permutation-not-inverted", {"x": normal(3, 2, 4)}, "x")
def merge_heads_reshape():
    def forward(x):
        return x.transpose(1, 0, 2).reshape(x.shape[1], -1)

    def backward(g, x):
        return (g.reshape(x.shape),)

    return forward, backward
