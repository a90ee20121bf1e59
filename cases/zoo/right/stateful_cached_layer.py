"""A layer object whose backward uses only the cache of the latest forward, not the inputs it is given. Correct."""

import numpy as np


class Layer:
    def forward(self, x, W):
        self.x, self.W = x, W
        self.y = np.tanh(x @ W)
        return self.y

    def backward(self, g):
        d = g * (1 - self.y**2)
        return d @ self.W.T, self.x.T @ d


_layer = Layer()


def forward(x, W):
    return _layer.forward(x, W)


def backward(g, x, W):
    return _layer.backward(g)
