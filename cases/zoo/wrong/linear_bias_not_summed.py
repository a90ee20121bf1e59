"""The bias was broadcast over the batch; its gradient is returned with the batch axis still on."""


def forward(x, W, b):
    return x @ W + b


def backward(g, x, W, b):
    return g @ W.T, x.T @ g, g


def correct_backward(g, x, W, b):
    return g @ W.T, x.T @ g, g.sum(axis=0)
