"""The derivative function expects the pre-activation but is handed the activated output: f'(f(x))."""

import numpy as np


def sigmoid(v):
    return 1.0 / (1.0 + np.exp(-v))


def dsigmoid(v):
    return sigmoid(v) * (1 - sigmoid(v))


def forward(x):
    return sigmoid(x)


def backward(g, x):
    a = sigmoid(x)
    return (g * dsigmoid(a),)


def correct_backward(g, x):
    return (g * dsigmoid(x),)
