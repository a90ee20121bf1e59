"""Wrong backward passes: Jacobian structure."""

import numpy as np

from ..draws import normal
from ..stand import mutant


@mutant("wrong-outer-product", {"x": normal(3, 4)}, "x")
def softmax_transposed_sm():
    def _sm(x, ax=-1):
        e = np.exp(x - x.max(ax, keepdims=True))
        return e / e.sum(ax, keepdims=True)

    def forward(x):
        return _sm(x)

    def backward(g, x):
        s = _sm(x)
        return (s * g - s * s * g.sum(-1, keepdims=True),)

    return forward, backward


@mutant("wrong-outer-product", {"x": normal(3, 4)}, "x", also=("derivative-of-another-function",))
def l2norm_elementwise_square():
    def forward(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def backward(g, x):
        n = np.linalg.norm(x, axis=1, keepdims=True)
        y = x / n
        return ((g - y * y * g.sum(1, keepdims=True)) / n,)

    return forward, backward
