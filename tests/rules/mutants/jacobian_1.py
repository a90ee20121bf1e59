"""Wrong backward passes: Jacobian structure."""

import numpy as np

from ..draws import integers, normal
from ..stand import mutant


@mutant("batch-index-as-class-index", {"z": normal(4, 4), "y": integers(4, 4)}, "z")
def ce_eye_batch():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(z, y):
        return -np.log(_sm(z)[np.arange(len(y)), y]).mean()

    def backward(g, z, y):
        return (g * (_sm(z) - np.eye(len(y))) / len(y),)

    return forward, backward


@mutant("batch-index-as-class-index", {"x": normal(3, 3)}, "x")
def softmax_square_eye():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x)

    def backward(g, x):
        s = _sm(x)
        return (s * (np.eye(len(s)) - s) * g,)

    return forward, backward


@mutant("cross-sample-coupling", {"x": normal(3, 4)}, "x", also=("wrong-axis",))
def softmax_global_sum():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x)

    def backward(g, x):
        s = _sm(x)
        return (s * (g - (s * g).sum()),)

    return forward, backward


@mutant("cross-sample-coupling", {"x": normal(3, 4)}, "x", also=("wrong-axis",))
def layernorm_flat():
    def forward(x):
        return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-05)

    def backward(g, x):
        inv = 1 / np.sqrt(x.var() + 1e-05)
        h = (x - x.mean()) * inv
        return (inv * (g - g.mean() - h * (g * h).mean()),)

    return forward, backward


@mutant("diagonal-only-jacobian", {"x": normal(3, 4)}, "x")
def logsoftmax_diag():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return np.log(_sm(x))

    def backward(g, x):
        return (g * (1 - _sm(x)),)

    return forward, backward


@mutant("diagonal-only-jacobian", {"x": normal(2, 5)}, "x")
def layernorm_diag():
    def forward(x):
        return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)

    def backward(g, x):
        n = x.shape[1]
        s = x.std(1, keepdims=True)
        h = (x - x.mean(1, keepdims=True)) / s
        return (g * (1 - 1 / n - h * h / n) / s,)

    return forward, backward


@mutant("linear-ops-do-not-commute", {"x": normal(3, 4), "cos": normal(3, 4), "sin": normal(3, 4)}, "x")
def rope_rotate_first():
    def _rot(v):
        h = v.shape[-1] // 2
        return np.concatenate([-v[..., h:], v[..., :h]], -1)

    def _unrot(v):
        h = v.shape[-1] // 2
        return np.concatenate([v[..., h:], -v[..., :h]], -1)

    def forward(x, cos, sin):
        return x * cos + _rot(x) * sin

    def backward(g, x, cos, sin):
        return (g * cos + _unrot(g) * sin,)

    return forward, backward
