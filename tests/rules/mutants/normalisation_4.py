"""Wrong backward passes: normalisation layers."""

import numpy as np

from ..draws import normal, positive
from ..stand import mutant


@mutant("train-eval-mode-mixup", {"x": normal(5, 3), "rm": normal(3), "rv": positive(3), "gamma": positive(3)}, "x")
def bn_eval_no_option():
    def forward(x, rm, rv, gamma):
        return gamma * (x - rm) / np.sqrt(rv + 1e-05)

    def backward(g, x, rm, rv, gamma):
        s = 1 / np.sqrt(x.var(0) + 1e-05)
        h = (x - x.mean(0)) * s
        d = g * gamma
        return (s * (d - d.mean(0) - h * (d * h).mean(0)),)

    return forward, backward


@mutant("variance-path-missing", {"x": normal(2, 2, 5, scale=1.4)}, "x", also=("statistics-treated-as-constants",))
def instancenorm_no_var():
    def forward(x):
        return (x - x.mean(2, keepdims=True)) / x.std(2, keepdims=True)

    def backward(g, x):
        return ((g - g.mean(2, keepdims=True)) / x.std(2, keepdims=True),)

    return forward, backward


@mutant("variance-path-missing", {"x": normal(3, 2, 2, 2)}, "x", also=("statistics-treated-as-constants",))
def bn2d_no_var():
    def forward(x):
        return (x - x.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-05)

    def backward(g, x):
        return ((g - g.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-05),)

    return forward, backward
