"""Wrong backward passes: axes, shapes, permutations and geometry."""

import numpy as np

from ..draws import bernoulli, normal
from ..stand import mutant


@mutant("swapped-gradients", {"x": normal(3, 6)}, "x")
def glu_halves():
    def _s(v):
        return 1 / (1 + np.exp(-v))

    def forward(x):
        a, b = np.split(x, 2, 1)
        return a * _s(b)

    def backward(g, x):
        a, b = np.split(x, 2, 1)
        s = _s(b)
        return (np.concatenate([g * a * s * (1 - s), g * s], 1),)

    return forward, backward


@mutant("swapped-gradients", {"A": normal(3, 3), "B": normal(3, 3)}, ("A", "B"))
def matmul_swapped():
    def forward(A, B):
        return A @ B

    def backward(g, A, B):
        return (A.T @ g, g @ B.T)

    return forward, backward


@mutant(
    "swapped-gradients",
    {"a": normal(3, 4), "b": normal(3, 4), "c": bernoulli(3, 4, p=0.5)},
    ("a", "b"),
    also=("branch-condition-wrong",),
)
def where_swapped():
    def forward(a, b, c):
        return np.where(c > 0, a, b)

    def backward(g, a, b, c):
        return (g * (c <= 0), g * (c > 0))

    return forward, backward


@mutant("swapped-gradients", {"x": normal(3, 4)}, "x")
def split_outputs():
    def forward(x):
        return (x[:, :2] ** 2, np.sin(x[:, 2:]))

    def backward(g, x):
        return (np.concatenate([g[1] * 2 * x[:, :2], g[0] * np.cos(x[:, 2:])], 1),)

    return forward, backward


@mutant(
    "swapped-gradients",
    {"z": normal(3, 8), "c": normal(3, 2)},
    "z",
    also=("order-permuted-slices", "permutation-not-inverted"),
)
def lstm_gates_swapped():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(z, c):
        i, f, o, u = (_sg(z[:, :2]), _sg(z[:, 2:4]), _sg(z[:, 4:6]), np.tanh(z[:, 6:]))
        return o * np.tanh(f * c + i * u)

    def backward(g, z, c):
        i, f, o, u = (_sg(z[:, :2]), _sg(z[:, 2:4]), _sg(z[:, 4:6]), np.tanh(z[:, 6:]))
        cn = f * c + i * u
        t = np.tanh(cn)
        dc = g * o * (1 - t * t)
        return (
            np.concatenate([dc * c * f * (1 - f), dc * u * i * (1 - i), g * t * o * (1 - o), dc * i * (1 - u * u)], 1),
        )

    return forward, backward


@mutant("wrong-axis", {"x": normal(3, 4, 2)}, "x", options={"axis": 0})
def logsoftmax_axis():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x, axis=0):
        return np.log(_sm(x, axis))

    def backward(g, x, axis=0):
        return (g - _sm(x, axis) * g.sum(-1, keepdims=True),)

    return forward, backward


@mutant("wrong-axis", {"x": normal(3, 4)}, "x", options={"axis": 0})
def logsumexp_axis_all():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x, axis=0):
        return np.log(np.exp(x).sum(axis))

    def backward(g, x, axis=0):
        return (g[None, :] * _sm(x, 1),)

    return forward, backward


@mutant("wrong-axis", {"x": normal(4, 4)}, "x", options={"axis": 1}, also=("permutation-not-inverted",))
def norm_sum_axis():
    def forward(x, axis=1):
        return np.sqrt((x * x).sum(axis))

    def backward(g, x, axis=1):
        return (g * x / np.sqrt((x * x).sum(axis, keepdims=True)),)

    return forward, backward


@mutant("wrong-axis", {"x": normal(3, 3)}, "x", options={"axis": 0})
def cumsum_wrong_axis():
    def forward(x, axis=0):
        return np.cumsum(x, axis)

    def backward(g, x, axis=0):
        return (np.flip(np.cumsum(np.flip(g, 1), 1), 1),)

    return forward, backward


@mutant("wrong-axis", {"x": normal(4, 5)}, "x")
def standardise_axis0():
    def forward(x):
        return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-05)

    def backward(g, x):
        inv = 1 / np.sqrt(x.var(0) + 1e-05)
        h = (x - x.mean(0)) * inv
        return (inv * (g - g.mean(1, keepdims=True) - h * (g * h).mean(1, keepdims=True)),)

    return forward, backward
