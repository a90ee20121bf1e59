"""Row-wise softmax via apply_along_axis; the slice counter is a local int, so slice 0 of the upstream is reused."""

import numpy as np


def _soft1(v):
    e = np.exp(v - np.max(v))
    return e / np.sum(e)


def forward(x, axis=1):
    return np.apply_along_axis(_soft1, axis, x)


def backward(g, x, axis=1):
    out = forward(x, axis)
    slices = []
    np.apply_along_axis(lambda v: slices.append(v.copy()) or v, axis, g)
    counter = 0

    def one(s, slices, counter):
        jac = np.diag(s) - np.outer(s, s)
        r = jac @ slices[counter]
        counter += 1  # only the local name moves
        return r

    return (np.apply_along_axis(one, axis, out, slices, counter),)


def correct_backward(g, x, axis=1):
    s = forward(x, axis)
    return (s * (g - np.sum(g * s, axis=axis, keepdims=True)),)
