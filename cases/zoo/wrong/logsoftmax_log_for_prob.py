"""log-softmax backward multiplies by the saved OUTPUT (log-probabilities) where probabilities are needed."""

import numpy as np


def forward(x):
    m = x.max(axis=1, keepdims=True)
    return x - m - np.log(np.exp(x - m).sum(axis=1, keepdims=True))


def backward(g, x):
    out = forward(x)
    return (g - out * g.sum(axis=1, keepdims=True),)


def correct_backward(g, x):
    out = forward(x)
    return (g - np.exp(out) * g.sum(axis=1, keepdims=True),)
