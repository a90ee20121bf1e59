"""Wrong backward passes: the wrong point, or the wrong function."""

import math

import numpy as np

from ..draws import normal, positive, uniform
from ..stand import mutant


@mutant("derivative-of-another-function", {"x": normal(3, 4)}, "x")
def gelu_quick():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    _erf = np.vectorize(math.erf)

    def forward(x):
        return 0.5 * x * (1 + _erf(x / np.sqrt(2)))

    def backward(g, x):
        s = _sg(1.702 * x)
        return (g * (s + 1.702 * x * s * (1 - s)),)

    return forward, backward


@mutant(
    "derivative-of-another-function", {"x": normal(3, 4)}, "x", also=("missing-inner-factor", "factor-two-in-one-path")
)
def tanh_gelu_coeff():
    def forward(x):
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    def backward(g, x):
        k = np.sqrt(2 / np.pi)
        t = np.tanh(k * (x + 0.044715 * x**3))
        return (g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 0.044715 * x * x)),)

    return forward, backward


@mutant("input-used-for-output", {"x": normal(3, 4)}, "x")
def sigmoid_x_form():
    def forward(x):
        return 1 / (1 + np.exp(-x))

    def backward(g, x):
        return (g * x * (1 - x),)

    return forward, backward


@mutant("input-used-for-output", {"x": positive(5)}, "x")
def sqrt_x_form():
    def forward(x):
        return np.sqrt(x)

    def backward(g, x):
        return (g / (2 * x),)

    return forward, backward


@mutant("input-used-for-output", {"x": normal(7)}, "x")
def exp_uses_x():
    def forward(x):
        return np.exp(x)

    def backward(g, x):
        return (g * x,)

    return forward, backward


@mutant("input-used-for-output", {"x": uniform(-1.2, 1.2, 6)}, "x")
def tan_x_form():
    def forward(x):
        return np.tan(x)

    def backward(g, x):
        return (g * (1 + x * x),)

    return forward, backward


@mutant("input-used-for-output", {"x": normal(4, 3)}, "x")
def softmax_axis0_input():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x, 0)

    def backward(g, x):
        s = _sm(x, 0)
        return (x * (g - (s * g).sum(0)),)

    return forward, backward


@mutant("output-used-without-inverse-map", {"x": positive(6)}, "x")
def log1p_output():
    def forward(x):
        return np.log1p(x)

    def backward(g, x):
        y = np.log1p(x)
        return (g / y,)

    return forward, backward


@mutant("output-used-without-inverse-map", {"x": normal(3, 3)}, "x")
def softplus_output_form():
    def forward(x):
        return np.log1p(np.exp(x))

    def backward(g, x):
        return (g * (1 - forward(x)),)

    return forward, backward


@mutant("output-used-without-inverse-map", {"x": normal(4, 3)}, "x")
def logsoftmax_axis0_y():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return np.log(_sm(x, 0))

    def backward(g, x):
        y = forward(x)
        return (g - y * g.sum(0),)

    return forward, backward


@mutant("output-used-without-inverse-map", {"x": normal(6)}, "x")
def logsigmoid_y():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(x):
        return np.log(_sg(x))

    def backward(g, x):
        return (g * (1 - forward(x)),)

    return forward, backward
