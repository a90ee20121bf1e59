"""x*x built from a two-operand multiply; the second gradient overwrites the first instead of adding (half of 2x)."""


class Value:
    def __init__(self, data):
        self.data, self.grad = data, None


def _mul(a, b):
    out = Value(a.data * b.data)

    def back():
        a.grad = b.data * out.grad
        b.grad = a.data * out.grad

    return out, back


def forward(x):
    v = Value(x)
    return _mul(v, v)[0].data


def backward(g, x):
    v = Value(x)
    out, back = _mul(v, v)
    out.grad = g
    back()
    return (v.grad,)


def correct_backward(g, x):
    return (2 * x * g,)
