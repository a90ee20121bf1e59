"""Wrong backward passes: the chain, product and quotient rule."""

import numpy as np

from ..draws import away, normal, positive, uniform, values
from ..stand import mutant


@mutant("missing-inner-factor", {"q": normal(3, 5), "k": normal(4, 5)}, ("q", "k"), also=("wrong-normaliser-count",))
def mha_dk_scale():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(q, k):
        return _sm(q @ k.T / np.sqrt(q.shape[1]))

    def backward(g, q, k):
        p = _sm(q @ k.T / np.sqrt(q.shape[1]))
        d = p * (g - (g * p).sum(1, keepdims=True))
        return (d @ k / np.sqrt(q.shape[1]), d.T @ q)

    return forward, backward


@mutant("missing-inner-factor", {"x": normal(3, 4)}, "x", options={"alpha": 0.3})
def layerscale_path():
    def forward(x, alpha=0.3):
        return x + alpha * np.tanh(x)

    def backward(g, x, alpha=0.3):
        return (g * (1 + (1 - np.tanh(x) ** 2)),)

    return forward, backward


@mutant(
    "missing-inner-factor",
    {"x": normal(4, 3), "s": positive(3)},
    ("x", "s"),
    also=("affine-scale-missing", "sample-weight-not-in-backward"),
)
def affine_scale_dx():
    def forward(x, s):
        return np.tanh(x) * s

    def backward(g, x, s):
        return (g * (1 - np.tanh(x) ** 2), (g * np.tanh(x)).sum(0))

    return forward, backward


@mutant(
    "missing-inner-factor",
    {"x": away(4, 4)},
    "x",
    options={"slope": 0.25},
    also=("branch-condition-wrong", "saturation-mask-missing"),
)
def prelu_slope_missing():
    def forward(x, slope=0.25):
        return np.where(x > 0, x, slope * x)

    def backward(g, x, slope=0.25):
        return (g.copy(),)

    return forward, backward


@mutant(
    "missing-inner-factor",
    {"a": normal(7), "b": normal(7), "y": values([1, -1, 1, 1, -1, -1, 1], dtype=float)},
    "a",
    also=("sign-error-in-one-branch",),
)
def margin_ranking_y():
    def forward(a, b, y):
        return np.log1p(np.exp(-y * (a - b)))

    def backward(g, a, b, y):
        return (-g / (1 + np.exp(y * (a - b))),)

    return forward, backward


@mutant(
    "operator-precedence",
    {
        "p": uniform(0.05, 0.95, 4, 5),
        "t": values([[1, 0, 1, 0, 0], [0, 1, 1, 0, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 0]], dtype=float),
    },
    "p",
)
def dice_precedence():
    def forward(p, t):
        return 2 * (p * t).sum(1) / (p.sum(1) + t.sum(1))

    def backward(g, p, t):
        i = (p * t).sum(1, keepdims=True)
        u = p.sum(1, keepdims=True) + t.sum(1, keepdims=True)
        return (g[:, None] * 2 * (t * u - i) / u * u,)

    return forward, backward


@mutant(
    "operator-precedence",
    {"a": normal(5), "b": positive(5)},
    ("a", "b"),
    also=("quotient-rule-error", "missing-inner-factor"),
)
def precedence_elementwise():
    def forward(a, b):
        return a / b

    def backward(g, a, b):
        return (g / b, -g * a / b * b)

    return forward, backward


@mutant("product-rule-term-missing", {"x": normal(3, 4)}, "x")
def mish_one_term():
    def forward(x):
        return x * np.tanh(np.log1p(np.exp(x)))

    def backward(g, x):
        return (g * np.tanh(np.log1p(np.exp(x))),)

    return forward, backward


@mutant("product-rule-term-missing", {"x": normal(9)}, "x")
def xsinx_other_term():
    def forward(x):
        return x * np.sin(x)

    def backward(g, x):
        return (g * x * np.cos(x),)

    return forward, backward


@mutant("product-rule-term-missing", {"x": normal(6)}, "x")
def xexp_one():
    def forward(x):
        return x**2 * np.exp(-x)

    def backward(g, x):
        return (g * 2 * x * np.exp(-x),)

    return forward, backward


@mutant("product-rule-term-missing", {"x": normal(3, 4)}, "x")
def glu_product():
    def _sg(v):
        return 1 / (1 + np.exp(-v))

    def forward(x):
        return np.tanh(x) * _sg(x)

    def backward(g, x):
        return (g * np.tanh(x) * _sg(x) * (1 - _sg(x)),)

    return forward, backward
