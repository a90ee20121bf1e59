"""Wrong backward passes: padding that was cropped at the wrong end, with what fell into it."""

import numpy as np

from ..draws import normal
from ..stand import mutant


@mutant("padding-offset-wrong", {"x": normal(1, 2, 4, 5), "w": normal(3, 3)}, "x")
def images_cropped_at_zero():
    def forward(x, w):
        h, v = x.shape[2:]
        wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        return sum(w[i, j] * wide[:, :, i : i + h, j : j + v] for i in range(3) for j in range(3))

    def backward(g, x, w):
        h, v = x.shape[2:]
        wide = np.zeros((*x.shape[:2], h + 2, v + 2))
        for i in range(3):
            for j in range(3):
                wide[:, :, i : i + h, j : j + v] += w[i, j] * g
        return (wide[:, :, :h, :v],)

    return forward, backward


@mutant("padding-offset-wrong", {"x": normal(2, 8), "w": normal(3)}, "x", options={"step": 2})
def causal_with_steps_cropped_at_zero():
    def forward(x, w, step=2):
        wide = np.pad(x, ((0, 0), (2 * step, 0)))
        return sum(w[k] * wide[:, k * step : k * step + x.shape[1]] for k in range(3))

    def backward(g, x, w, step=2):
        wide = np.zeros((len(x), x.shape[1] + 2 * step))
        for k in range(3):
            wide[:, k * step : k * step + x.shape[1]] += w[k] * g
        return (wide[:, : x.shape[1]],)

    return forward, backward
