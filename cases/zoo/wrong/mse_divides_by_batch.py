"""Forward averages over every element, backward divides by the batch size only: too large by the feature count."""


def forward(y, t):
    return ((y - t) ** 2).mean()


def backward(g, y, t):
    return (2 * g * (y - t) / len(y),)


def correct_backward(g, y, t):
    return (2 * g * (y - t) / y.size,)
