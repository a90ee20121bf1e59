"""Wrong backward passes: signs."""

import numpy as np

from ..draws import away, normal, uniform, values
from ..stand import mutant


@mutant("sign-error", {"a": normal(3, 4), "b": normal(3, 4)}, ("a", "b"))
def matmul_db_sign():
    def forward(a, b):
        return ((a - b) ** 2).sum(1)

    def backward(g, a, b):
        d = 2 * g[:, None] * (a - b)
        return (d, d)

    return forward, backward


@mutant("sign-error", {"a": normal(3, 4), "b": normal(4, 2)}, ("a", "b"))
def matmul_minus():
    def forward(a, b):
        return a @ b

    def backward(g, a, b):
        return (g @ b.T, -(a.T @ g))

    return forward, backward


@mutant(
    "sign-error-in-one-branch", {"p": uniform(0.1, 0.9, 8), "t": values([0, 1, 1, 0, 1, 0, 0, 1], dtype=float)}, "p"
)
def weighted_bce_sign_neg():
    def forward(p, t):
        return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()

    def backward(g, p, t):
        return (g * (-t / p - (1 - t) / (1 - p)) / len(p),)

    return forward, backward


@mutant("sign-error-in-one-branch", {"x": normal(8), "t": normal(8)}, "x")
def abs_diff_one_side():
    def forward(x, t):
        return np.abs(x - t) ** 1.5

    def backward(g, x, t):
        return (g * 1.5 * np.abs(x - t) ** 0.5,)

    return forward, backward


@mutant("sign-error-in-one-branch", {"x": away(3, 4)}, "x", options={"slope": 0.2})
def leaky_sign():
    def forward(x, slope=0.2):
        return np.where(x > 0, x, slope * x)

    def backward(g, x, slope=0.2):
        return (g * np.where(x > 0, 1.0, -slope),)

    return forward, backward


@mutant(
    "sign-error-in-one-branch",
    {"z": normal(8), "t": values([0, 1, 1, 0, 1, 0, 0, 1], dtype=float)},
    "z",
    options={"gamma": 3.0},
)
def focal_odd_sign():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(z, t, gamma=3.0):
        p = _sg(z)
        return -(t * (1 - p) ** gamma * np.log(p) + (1 - t) * p**gamma * np.log(1 - p))

    def backward(g, z, t, gamma=3.0):
        p = _sg(z)
        d1 = t * ((1 - p) ** gamma * -(1 - p) + gamma * (1 - p) ** gamma * p * np.log(p))
        d0 = (1 - t) * (p**gamma * p + gamma * p**gamma * (1 - p) * np.log(1 - p))
        return (g * (d1 + d0),)

    return forward, backward


@mutant("sign-error-in-one-branch", {"x": normal(9), "t": normal(9)}, "x", options={"q": 0.3})
def pinball_sign():
    def forward(x, t, q=0.3):
        d = t - x
        return np.where(d > 0, q * d, (q - 1) * d)

    def backward(g, x, t, q=0.3):
        d = t - x
        return (g * np.where(d > 0, -q, q - 1),)

    return forward, backward
