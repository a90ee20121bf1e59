"""a / b: db = -g*a/b, the square on the denominator is missing."""


def forward(a, b):
    return a / b


def backward(g, a, b):
    return g / b, -g * a / b


def correct_backward(g, a, b):
    return g / b, -g * a / b**2
