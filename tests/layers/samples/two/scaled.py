from helpers import FACTOR


def forward(x):
    return FACTOR * x


def backward(g):
    return FACTOR * g
