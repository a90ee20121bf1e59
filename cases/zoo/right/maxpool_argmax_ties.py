"""Max pooling where some windows have exact ties; the whole upstream goes to the first maximum. A valid subgradient."""

import numpy as np


def forward(x):
    return x.reshape(x.shape[0], -1, 2).max(axis=2)


def backward(g, x):
    z = x.reshape(x.shape[0], -1, 2)
    d = np.zeros_like(z)
    np.put_along_axis(d, z.argmax(axis=2)[:, :, None], g[:, :, None], axis=2)
    return (d.reshape(x.shape),)
