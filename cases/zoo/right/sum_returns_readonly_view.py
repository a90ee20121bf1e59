"""sum backward returns a read-only broadcast view (zero strides). Values are right."""

import numpy as np


def forward(x):
    return x.sum(axis=0)


def backward(g, x):
    return (np.broadcast_to(g, x.shape),)
