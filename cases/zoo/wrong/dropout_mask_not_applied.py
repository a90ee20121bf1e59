"""Inverted dropout: the backward rescales by 1/(1-p) but does not apply the mask."""


def forward(x, mask, p=0.4):
    return x * mask / (1 - p)


def backward(g, x, mask, p=0.4):
    return (g / (1 - p),)


def correct_backward(g, x, mask, p=0.4):
    return (g * mask / (1 - p),)
