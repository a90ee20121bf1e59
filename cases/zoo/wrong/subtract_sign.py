"""a - b: the second operand receives +g."""


def forward(a, b):
    return a - b


def backward(g, a, b):
    return g, g


def correct_backward(g, a, b):
    return g, -g
