"""Wrong backward passes: the chain, product and quotient rule."""

import numpy as np

from ..draws import away, positive, uniform, values
from ..stand import mutant


@mutant(
    "quotient-rule-error",
    {
        "p": uniform(0.05, 0.95, 3, 6),
        "t": values([[1, 0, 1, 0, 0, 1], [0, 1, 1, 0, 1, 0], [1, 1, 0, 0, 0, 0]], dtype=float),
    },
    "p",
)
def iou_sign():
    def forward(p, t):
        i = (p * t).sum(1)
        return i / (p.sum(1) + t.sum(1) - i)

    def backward(g, p, t):
        i = (p * t).sum(1, keepdims=True)
        u = p.sum(1, keepdims=True) + t.sum(1, keepdims=True) - i
        return (g[:, None] * (t * u + i * (1 - t)) / u**2,)

    return forward, backward


@mutant("quotient-rule-error", {"x": away(6)}, "x", also=("operator-precedence",))
def softsign_square():
    def forward(x):
        return x / (1 + np.abs(x))

    def backward(g, x):
        return (g / (1 + np.abs(x)),)

    return forward, backward


@mutant("quotient-rule-error", {"x": positive(3, 4)}, "x", also=("sign-error-in-one-branch",))
def ratio_sum_plus():
    def forward(x):
        return x / x.sum(1, keepdims=True)

    def backward(g, x):
        s = x.sum(1, keepdims=True)
        return (g / s + (g * x).sum(1, keepdims=True) / s**2,)

    return forward, backward


@mutant("quotient-rule-error", {"p": uniform(0.1, 0.9, 6)}, "p")
def odds():
    def forward(p):
        return p / (1 - p)

    def backward(g, p):
        return (g * (1 - 2 * p) / (1 - p) ** 2,)

    return forward, backward


@mutant("quotient-rule-error", {"a": positive(5), "b": positive(5)}, ("a", "b"))
def a_over_ab():
    def forward(a, b):
        return a / (a + b)

    def backward(g, a, b):
        return (g * b / (a + b) ** 2, -g * a / (a + b))

    return forward, backward
