"""Soft Dice 2I/U: the quotient rule is written with + instead of -."""


def forward(p, t):
    inter = (p * t).sum(1)
    union = p.sum(1) + t.sum(1)
    return 2 * inter / union


def backward(g, p, t):
    inter = (p * t).sum(1, keepdims=True)
    union = p.sum(1, keepdims=True) + t.sum(1, keepdims=True)
    return (g[:, None] * 2 * (t * union + inter) / (union * union),)


def correct_backward(g, p, t):
    inter = (p * t).sum(1, keepdims=True)
    union = p.sum(1, keepdims=True) + t.sum(1, keepdims=True)
    return (g[:, None] * 2 * (t * union - inter) / (union * union),)
