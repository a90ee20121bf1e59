"""Wrong backward passes: the statistics of another mode."""

import numpy as np

from ..draws import normal, positive
from ..stand import mutant


@mutant("train-eval-mode-mixup", {"x": normal(6, 3), "mean": normal(3), "var": positive(3), "gamma": normal(3)}, "x")
def running_statistics_in_the_rule_of_training():
    def forward(x, mean, var, gamma):
        return gamma * (x - mean) / np.sqrt(var + 1e-5)

    def backward(g, x, mean, var, gamma):
        r = 1 / np.sqrt(var + 1e-5)
        h, d = (x - mean) * r, g * gamma
        return (r * (d - d.mean(0) - h * (d * h).mean(0)),)

    return forward, backward


@mutant("train-eval-mode-mixup", {"x": normal(5, 2, 3), "mean": normal(2), "var": positive(2)}, "x")
def batch_deviation_about_the_running_mean():
    def spread(v):
        return v[None, :, None]

    def forward(x, mean, var):
        return (x - spread(mean)) / np.sqrt(spread(var) + 1e-5)

    def backward(g, x, mean, var):
        r = 1 / np.sqrt(x.var((0, 2)) + 1e-5)
        h = (x - spread(mean)) * spread(r)
        return (spread(r) * (g - g.mean((0, 2), keepdims=True) - h * (g * h).mean((0, 2), keepdims=True)),)

    return forward, backward


@mutant("cross-sample-coupling", {"x": normal(3, 4, 3)}, "x", also=("wrong-axis",))
def groups_of_all_samples():
    def normalise(x):
        v = x.reshape(len(x), 2, -1)
        r = 1 / np.sqrt(v.var(2, keepdims=True) + 1e-5)
        return (v - v.mean(2, keepdims=True)) * r, r

    def forward(x):
        return normalise(x)[0].reshape(x.shape)

    def backward(g, x):
        h, r = normalise(x)
        d = g.reshape(h.shape)
        dx = r * (d - d.mean((0, 2), keepdims=True) - h * (d * h).mean((0, 2), keepdims=True))
        return (dx.reshape(x.shape),)

    return forward, backward
