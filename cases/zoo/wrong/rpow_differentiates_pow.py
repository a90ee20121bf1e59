"""Forward c**x, backward differentiates x**c."""

import numpy as np


def forward(x, c=3.0):
    return c**x


def backward(g, x, c=3.0):
    return (g * c * x ** (c - 1),)


def correct_backward(g, x, c=3.0):
    return (g * np.log(c) * c**x,)
