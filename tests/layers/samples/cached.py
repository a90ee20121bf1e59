"""A cache in the module: the first forward fills it, later ones do not."""

import numpy as np

_cache = {}


def forward(x):
    y = np.tanh(x)
    _cache.setdefault("y", y)
    return y


def backward(g, x):
    return g * (1 - _cache["y"] ** 2)


class Cached:
    seen = {}  # noqa: RUF012  the trap of this sample

    def forward(self, x):
        self.seen.setdefault("y", np.tanh(x))
        return np.tanh(x)

    def backward(self, g):
        return g * (1 - self.seen["y"] ** 2)


layer = Cached()
