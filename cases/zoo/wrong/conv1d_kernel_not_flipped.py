"""1-D valid cross-correlation; dx correlates g with the kernel instead of convolving (kernel not flipped)."""

import numpy as np


def forward(x, w):
    return np.correlate(x, w, mode="valid")


def backward(g, x, w):
    return np.correlate(g, w, mode="full"), np.correlate(x, g, mode="valid")


def correct_backward(g, x, w):
    return np.convolve(g, w, mode="full"), np.correlate(x, g, mode="valid")
