"""Wrong backward passes: normalisation layers."""

import numpy as np

from ..draws import normal, positive, uniform
from ..stand import mutant


@mutant("affine-scale-missing", {"x": normal(2, 3, 5), "gamma": positive(3)}, ("x", "gamma"))
def instancenorm_gamma_missing():
    def _h(x):
        inv = 1 / np.sqrt(x.var(2, keepdims=True) + 1e-05)
        return ((x - x.mean(2, keepdims=True)) * inv, inv)

    def forward(x, gamma):
        return gamma[None, :, None] * _h(x)[0]

    def backward(g, x, gamma):
        h, inv = _h(x)
        return (inv * (g - g.mean(2, keepdims=True) - h * (g * h).mean(2, keepdims=True)), (g * h).sum((0, 2)))

    return forward, backward


@mutant("affine-scale-missing", {"x": normal(3, 5), "gamma": normal(5, scale=0.3)}, ("x", "gamma"))
def rmsnorm_one_plus_gamma():
    def forward(x, gamma):
        return (1 + gamma) * x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-06)

    def backward(g, x, gamma):
        r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-06)
        h = x * r
        d = g * gamma
        return (r * (d - h * (d * h).mean(-1, keepdims=True)), (g * h).sum(0))

    return forward, backward


@mutant("affine-scale-missing", {"x": normal(6, 3), "gamma": positive(3), "beta": normal(3)}, ("x", "gamma", "beta"))
def bn1d_gamma():
    def _h(x):
        s = 1 / np.sqrt(x.var(0) + 1e-05)
        return ((x - x.mean(0)) * s, s)

    def forward(x, gamma, beta):
        return gamma * _h(x)[0] + beta

    def backward(g, x, gamma, beta):
        h, s = _h(x)
        return (s * (g - g.mean(0) - h * (g * h).mean(0)), (g * h).sum(0), g.sum(0))

    return forward, backward


@mutant("affine-scale-missing", {"x": normal(3, 4, 5), "gamma": positive(5), "beta": normal(5)}, "x")
def layernorm_gamma_in_dgamma():
    def forward(x, gamma, beta):
        return gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-05) + beta

    def backward(g, x, gamma, beta):
        s = 1 / np.sqrt(x.var(-1, keepdims=True) + 1e-05)
        h = (x - x.mean(-1, keepdims=True)) * s
        return (s * (g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True)),)

    return forward, backward


@mutant("epsilon-mismatch", {"x": normal(3, 6, scale=0.01)}, "x")
def layernorm_no_eps():
    def _b(g, x, e):
        inv = 1 / np.sqrt(x.var(1, keepdims=True) + e)
        h = (x - x.mean(1, keepdims=True)) * inv
        return inv * (g - g.mean(1, keepdims=True) - h * (g * h).mean(1, keepdims=True))

    def forward(x):
        return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-05)

    def backward(g, x):
        return (_b(g, x, 0.0),)

    return forward, backward


@mutant("epsilon-mismatch", {"x": normal(3, 5, scale=0.02)}, "x", options={"eps": 0.0001})
def rmsnorm_eps_outside():
    def forward(x, eps=0.0001):
        return x / np.sqrt((x * x).mean(1, keepdims=True) + eps)

    def backward(g, x, eps=0.0001):
        r = np.sqrt((x * x).mean(1, keepdims=True)) + eps
        return (g / r - x * (g * x).mean(1, keepdims=True) / r**3,)

    return forward, backward


@mutant("epsilon-mismatch", {"p": uniform(0.002, 0.05, 3, 4)}, "p", options={"eps": 0.001})
def log_eps_only_fwd():
    def forward(p, eps=0.001):
        return np.log(p + eps)

    def backward(g, p, eps=0.001):
        return (g / p,)

    return forward, backward


@mutant("epsilon-mismatch", {"x": normal(6, 3, scale=0.01)}, "x")
def bn_eps_hidden():
    def _b(g, x, inv):
        h = (x - x.mean(0)) * inv
        return inv * (g - g.mean(0) - h * (g * h).mean(0))

    def forward(x):
        return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-05)

    def backward(g, x):
        return (_b(g, x, 1 / (x.std(0) + 1e-05)),)

    return forward, backward
