"""log-softmax whose smallest probabilities are about 1e-35. Correct."""

import numpy as np


def forward(x):
    m = x.max(-1, keepdims=True)
    return x - m - np.log(np.exp(x - m).sum(-1, keepdims=True))


def backward(g, x):
    return (g - np.exp(forward(x)) * g.sum(-1, keepdims=True),)
