"""Inverted dropout: the backward applies the mask but not the 1/(1-p)."""


def forward(x, mask, p=0.3):
    return x * mask / (1 - p)


def backward(g, x, mask, p=0.3):
    return (g * mask,)


def correct_backward(g, x, mask, p=0.3):
    return (g * mask / (1 - p),)
