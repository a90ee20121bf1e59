"""Wrong backward passes: the last or first term along one axis, and positions that repeat."""

import numpy as np

from ..draws import normal, values
from ..stand import mutant


@mutant("loop-overwrites-accumulator", {"w": normal(3), "x": normal(2, 4)}, "w")
def scattered_kernel_of_the_last_position():
    def forward(w, x):
        y = np.zeros((len(x), 2 * x.shape[1] + 1))
        for t in range(x.shape[1]):
            y[:, 2 * t : 2 * t + 3] += x[:, t, None] * w
        return y

    def backward(g, w, x):
        for t in range(x.shape[1]):
            dw = (x[:, t, None] * g[:, 2 * t : 2 * t + 3]).sum(0)
        return (dw,)

    return forward, backward


@mutant("loop-overwrites-accumulator", {"x": normal(2, 3, 2), "w": normal(4, 3, 3)}, "x", also=("overlap-overwrite",))
def repeated_heads_every_second():
    def forward(x, w):
        return w @ np.repeat(x, 2, 0)

    def backward(g, x, w):
        return ((w.transpose(0, 2, 1) @ g)[::2],)

    return forward, backward


@mutant(
    "duplicate-index-overwrite",
    {"y": normal(3, 6), "q": values([0.3, 0.6, 2.5, 4.2])},
    "y",
    also=("loop-overwrites-accumulator",),
)
def interpolated_positions_repeat():
    def forward(y, q):
        i = np.floor(q).astype(int)
        return y[:, i] * (1 - (q - i)) + y[:, i + 1] * (q - i)

    def backward(g, y, q):
        i = np.floor(q).astype(int)
        dy = np.zeros_like(y)
        dy[:, i] += g * (1 - (q - i))
        np.add.at(dy, (slice(None), i + 1), g * (q - i))
        return (dy,)

    return forward, backward
