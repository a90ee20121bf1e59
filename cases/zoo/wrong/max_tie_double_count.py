"""max with exact ties: every tied entry receives the FULL upstream, so the row total is too large."""


def forward(x):
    return x.max(axis=1)


def backward(g, x):
    mask = x == x.max(axis=1, keepdims=True)
    return (g[:, None] * mask,)


def correct_backward(g, x):
    mask = (x == x.max(axis=1, keepdims=True)).astype(float)
    return (g[:, None] * mask / mask.sum(axis=1, keepdims=True),)
