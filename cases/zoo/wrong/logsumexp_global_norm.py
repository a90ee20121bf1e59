"""Row-wise logsumexp; the backward normalises by the sum over the whole array."""

import numpy as np


def forward(x):
    m = x.max(axis=1)
    return m + np.log(np.exp(x - m[:, None]).sum(axis=1))


def backward(g, x):
    e = np.exp(x - x.max())
    return (g[:, None] * e / e.sum(),)


def correct_backward(g, x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return (g[:, None] * e / e.sum(axis=1, keepdims=True),)
