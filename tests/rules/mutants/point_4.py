"""Wrong backward passes: elementwise functions, their domain, their pieces, their terms."""

import numpy as np

from ..draws import away, normal, positive
from ..stand import mutant


@mutant("derivative-evaluated-at-output", {"x": positive(4, 4)}, "x", also=("output-used-without-inverse-map",))
def third_logarithm_at_its_output():
    def forward(x):
        return np.log(x) / np.log(3)

    def backward(g, x):
        return (g / forward(x) / np.log(3),)

    return forward, backward


@mutant("derivative-evaluated-at-output", {"x": positive(4, 4)}, "x", also=("output-used-without-inverse-map",))
def logarithm_and_root_at_their_output():
    def forward(x):
        return np.log(x) - np.sqrt(x) + 1.0

    def backward(g, x):
        y = forward(x)
        return (g * np.where(y > 0, 1 / y - 0.5 / np.sqrt(np.abs(y)), 7.0),)

    return forward, backward


@mutant("branch-condition-wrong", {"x": normal(4, 6, scale=3.0)}, "x", also=("saturation-mask-missing",))
def hard_swish_of_the_middle():
    def forward(x):
        return x * np.clip(x + 3, 0, 6) / 6

    def backward(g, x):
        return (g * (2 * x + 3) / 6,)

    return forward, backward


@mutant("sign-error-in-one-branch", {"x": away(4, 5)}, "x", also=("branch-condition-wrong",))
def logarithm_of_the_size():
    def forward(x):
        return np.log(np.abs(x)) + np.arctan(x)

    def backward(g, x):
        return (g * (1 / np.abs(x) + 1 / (1 + x * x)),)

    return forward, backward


@mutant("derivative-of-another-function", {"x": normal(3, 4), "t": normal(3, 4)}, ("x", "t"))
def log_cosh_twice():
    def forward(x, t):
        return np.log(np.cosh(x - t))

    def backward(g, x, t):
        d = g / np.cosh(x - t) ** 2
        return d, -d

    return forward, backward
