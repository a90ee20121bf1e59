"""KL(p||q) w.r.t. p: log(p/q) without the +1. The missing constant vanishes behind a softmax."""

import numpy as np


def forward(p, q):
    return np.sum(p * (np.log(p) - np.log(q))) / len(p)


def backward(g, p, q):
    return (g * (np.log(p) - np.log(q)) / len(p),)


def correct_backward(g, p, q):
    return (g * (np.log(p) - np.log(q) + 1) / len(p),)
