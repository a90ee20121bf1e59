"""Wrong backward passes: the derivative of another penalty, and one use counted twice."""

import numpy as np

from ..draws import away, normal
from ..stand import mutant


@mutant("additive-term-wrong-scale", {"w": away(5), "X": normal(6, 5), "y": normal(6)}, "w", options={"l1": 0.3})
def sizes_penalised_as_squares():
    def forward(w, X, y, l1=0.3):
        return ((X @ w - y) ** 2).mean() + l1 * np.abs(w).sum() + 0.1 * (w * w).sum()

    def backward(g, w, X, y, l1=0.3):
        return (g * (2 * X.T @ (X @ w - y) / len(y) + l1 * w + 0.2 * w),)

    return forward, backward


@mutant("reused-input-not-accumulated", {"x": normal(4, 3)}, "x", also=("transposed-jacobian",))
def gram_with_one_use_twice():
    def forward(x):
        return x @ x.T

    def backward(g, x):
        return (2 * g @ x,)

    return forward, backward
