"""Identity plus a constant: the Jacobian is the identity, so g itself is right (diagonal-only is exact here)."""


def forward(x):
    return x + 3.0


def backward(g, x):
    return (g,)
