"""1 - x**2 is right for the OUTPUT of tanh; here it is applied to the input."""

import numpy as np


def forward(x):
    return np.tanh(x)


def backward(g, x):
    return (g * (1 - x**2),)


def correct_backward(g, x):
    return (g * (1 - np.tanh(x) ** 2),)
