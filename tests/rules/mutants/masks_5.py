"""Wrong backward passes: a condition turned round, and windows that are scattered."""

import numpy as np

from ..draws import normal
from ..stand import mutant


@mutant("branch-condition-wrong", {"x": normal(8), "t": normal(8)}, "x", options={"q": 0.2})
def quantile_loss_turned_round():
    def forward(x, t, q=0.2):
        d = t - x
        return np.where(d > 0, q * d, (q - 1) * d).mean()

    def backward(g, x, t, q=0.2):
        return (-g * np.where(t - x < 0, q, q - 1) / len(x),)

    return forward, backward


@mutant("stride-ignored", {"x": normal(2, 4), "w": normal(3)}, "x", options={"stride": 2})
def scattered_windows_read_one_apart():
    def forward(x, w, stride=2):
        y = np.zeros((len(x), stride * (x.shape[1] - 1) + 3))
        for i in range(x.shape[1]):
            y[:, i * stride : i * stride + 3] += x[:, i, None] * w
        return y

    def backward(g, x, w, stride=2):
        return (np.stack([g[:, i : i + 3] @ w for i in range(x.shape[1])], 1),)

    return forward, backward
