"""Wrong backward passes: the use of the upstream."""

import numpy as np

from ..draws import away, bernoulli, normal, uniform, values
from ..stand import mutant


@mutant("branch-gradient-through-wrong-node", {"x": normal(3, 4), "r": normal(3, 4)}, ("x", "r"))
def prenorm_residual():
    def _n(h):
        return h / np.sqrt((h * h).mean(-1, keepdims=True) + 1e-06)

    def forward(x, r):
        h = x + r
        return (_n(h), h)

    def backward(g, x, r):
        h = x + r
        d = g[0] + g[1]
        s = 1 / np.sqrt((h * h).mean(-1, keepdims=True) + 1e-06)
        dh = s * (d - h * s * s * (d * h).mean(-1, keepdims=True))
        return (dh, dh)

    return forward, backward


@mutant("branch-gradient-through-wrong-node", {"x": normal(3, 4), "W": normal(4, 4)}, "x")
def skip_through_tanh():
    def forward(x, W):
        h = x @ W
        return (np.tanh(h), h)

    def backward(g, x, W):
        h = x @ W
        return ((g[0] + g[1]) * (1 - np.tanh(h) ** 2) @ W.T,)

    return forward, backward


@mutant("fused-shortcut-in-unfused-node", {"x": normal(3, 4)}, "x")
def logsoftmax_g_minus_p():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return np.log(_sm(x))

    def backward(g, x):
        return (g - _sm(x),)

    return forward, backward


@mutant("fused-shortcut-in-unfused-node", {"p": uniform(0.1, 0.9, 3, 4), "t": bernoulli(3, 4, p=0.5)}, "p")
def bce_probs_fused():
    def forward(p, t):
        return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()

    def backward(g, p, t):
        return (g * (p - t) / p.size,)

    return forward, backward


@mutant(
    "fused-shortcut-in-unfused-node",
    {
        "lp": values([[-1.2039728043, -0.3566749439, -9.0], [-2.302585093, -1.6094379124, -0.3566749439]]),
        "y": values([0, 2]),
    },
    "lp",
)
def nll_logprobs_fused():
    def forward(lp, y):
        return -lp[np.arange(len(y)), y].mean()

    def backward(g, lp, y):
        d = np.exp(lp)
        d = d / d.sum(1, keepdims=True)
        d[np.arange(len(y)), y] -= 1
        return (g * d / len(y),)

    return forward, backward


@mutant("fused-shortcut-in-unfused-node", {"x": normal(3, 4)}, "x", also=("straight-through-estimator",))
def softmax_pass_through():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x)

    def backward(g, x):
        return (g.copy(),)

    return forward, backward


@mutant("ignored-upstream", {"a": normal(3, 2), "b": normal(3, 2)}, ("a", "b"))
def mul_ignores_upstream():
    def forward(a, b):
        return a * b

    def backward(g, a, b):
        return (b.copy(), a.copy())

    return forward, backward


@mutant("ignored-upstream", {"z": normal(4, 3), "t": normal(4, 3)}, "z")
def loss_ignores_g():
    def forward(z, t):
        return ((z - t) ** 2).mean()

    def backward(g, z, t):
        return (2 * (z - t) / z.size,)

    return forward, backward


@mutant("nonlinear-in-upstream", {"x": away(3, 4)}, "x")
def relu_neg_grad_abs():
    def forward(x):
        return np.maximum(x, 0)

    def backward(g, x):
        return (np.clip(g, -0.5, 0.5) * (x > 0),)

    return forward, backward
