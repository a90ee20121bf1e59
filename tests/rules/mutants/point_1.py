"""Wrong backward passes: the wrong point, or the wrong function."""

import math

import numpy as np

from ..draws import away, bernoulli, normal, positive
from ..stand import mutant


@mutant(
    "branch-recovered-from-output",
    {"x": away(4, 5)},
    "x",
    options={"slope": -0.3},
    also=("derivative-evaluated-at-output", "branch-condition-wrong"),
)
def leaky_negative_slope():
    def forward(x, slope=-0.3):
        return np.where(x > 0, x, slope * x)

    def backward(g, x, slope=-0.3):
        y = forward(x, slope)
        return (g * np.where(y > 0, 1.0, slope),)

    return forward, backward


@mutant(
    "branch-recovered-from-output",
    {"x": normal(4, 5, pin=[((0, 0), 0.0), ((2, 3), 0.0)]), "mask": bernoulli(4, 5, p=0.6, pin=[((0, 0), 1.0)])},
    "x",
    also=("division-by-input-at-zero",),
)
def rrelu_from_ratio():
    def forward(x, mask):
        return x * mask * 2.0

    def backward(g, x, mask):
        y = forward(x, mask)
        r = np.divide(y, x, out=np.zeros_like(x), where=x != 0)
        return (g * r,)

    return forward, backward


@mutant("derivative-evaluated-at-output", {"x": normal(3, 4, scale=1.5)}, "x")
def tanh_at_output():
    def forward(x):
        return np.tanh(x)

    def backward(g, x):
        y = np.tanh(x)
        return (g * (1 - np.tanh(y) ** 2),)

    return forward, backward


@mutant("derivative-evaluated-at-output", {"x": normal(3, 4)}, "x")
def softplus_at_output():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(x):
        return np.log1p(np.exp(x))

    def backward(g, x):
        return (g * _sg(np.log1p(np.exp(x))),)

    return forward, backward


@mutant("derivative-of-another-function", {"x": normal(3, 4)}, "x")
def gelu_tanh_for_exact():
    _erf = np.vectorize(math.erf)

    def forward(x):
        return 0.5 * x * (1 + _erf(x / np.sqrt(2)))

    def backward(g, x):
        k = np.sqrt(2 / np.pi)
        t = np.tanh(k * (x + 0.044715 * x**3))
        return (g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 3 * 0.044715 * x * x)),)

    return forward, backward


@mutant("derivative-of-another-function", {"x": normal(8)}, "x", also=("branch-condition-wrong",))
def softplus_relu_grad():
    def forward(x):
        return np.log1p(np.exp(x))

    def backward(g, x):
        return (g * (x > 0),)

    return forward, backward


@mutant("derivative-of-another-function", {"x": normal(2, 4)}, "x")
def sigmoid_tanh_grad():
    def forward(x):
        return 1 / (1 + np.exp(-x))

    def backward(g, x):
        return (g * (1 - np.tanh(x) ** 2),)

    return forward, backward


@mutant("derivative-of-another-function", {"x": normal(6)}, "x")
def sin_sin():
    def forward(x):
        return np.sin(x)

    def backward(g, x):
        return (g * -np.sin(x),)

    return forward, backward


@mutant("derivative-of-another-function", {"x": normal(6)}, "x")
def arctan_arcsinh():
    def forward(x):
        return np.arctan(x)

    def backward(g, x):
        return (g / np.sqrt(1 + x * x),)

    return forward, backward


@mutant("derivative-of-another-function", {"x": normal(8)}, "x")
def silu_gelu():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(x):
        return x * _sg(x)

    def backward(g, x):
        s = _sg(1.702 * x)
        return (g * s * (1 + 1.702 * x * (1 - s)),)

    return forward, backward


@mutant("derivative-of-another-function", {"x": positive(6)}, "x", options={"p": 2.5})
def pow_int():
    def forward(x, p=2.5):
        return x**p

    def backward(g, x, p=2.5):
        return (g * np.log(p) * p**x,)

    return forward, backward


@mutant("derivative-of-another-function", {"x": normal(4, 3), "t": normal(4, 3)}, "x")
def linear_relu_loss_l1_for_l2():
    def forward(x, t):
        return np.abs(x - t).sum(1)

    def backward(g, x, t):
        return (g[:, None] * 2 * (x - t),)

    return forward, backward
