"""Graph nodes that add to the gradients of their parents."""

import numpy as np


class Node:
    def __init__(self, data, *parents):
        self.data = data
        self.g = np.zeros(np.shape(data))
        self.parents = parents

    def _back(self):
        for parent in self.parents:
            parent._back(*parent.parents)


class Softmax(Node):
    def __init__(self, x):
        e = np.exp(x.data - x.data.max(1, keepdims=True))
        super().__init__(e / e.sum(1, keepdims=True), x)

    def _back(self, x):
        x.g += self.data * (self.g - (self.g * self.data).sum(1, keepdims=True))
        super()._back()


class WrongSoftmax(Softmax):
    def _back(self, x):
        x.g += self.g * self.data * (np.eye(self.data.shape[0]) - self.data)


class CrossEntropy(Node):
    def __init__(self, p, t):
        super().__init__(np.mean(-np.sum(t.data * np.log(p.data), axis=1)), p, t)

    def _back(self, p, t):
        p.g += self.g * -t.data / p.data / t.data.shape[0]
        t.g += self.g * -np.log(p.data) / t.data.shape[0]


class Scaled(Node):
    """An option, and a parent that its author passes as an array."""

    def __init__(self, x, weights, factor=1.0):
        super().__init__(factor * x.data * weights, x)
        self.weights, self.factor = weights, factor

    def _back(self, *parents):
        parents[0].g += self.factor * self.g * self.weights


class Value:
    """Like micrograd's: methods make nodes, and each node holds a closure."""

    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0
        self._backward = lambda: None
        self.children = children

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    def times(self, other):
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out


class Bare:
    """A base that cannot be made from an array, and a backward that takes the upstream."""

    def __init__(self, operation, *parents):
        self.value = operation(*(parent.value for parent in parents))
        self.gradient = None


class Double(Bare):
    def __init__(self, parent):
        super().__init__(lambda value: 2 * value, parent)

    def back(self, grad_output, parent):
        parent.gradient += 2 * grad_output


class Lazy(Node):
    """Adds to one of its parents only."""

    def __init__(self, a, b):
        super().__init__(a.data + b.data, a, b)
        a.g = b.g = 0

    def _back(self, a, b):
        a.g += self.g


class Returning(Node):
    """Returns its gradients instead."""

    def __init__(self, a, b):
        super().__init__(a.data * b.data, a, b)
        self.a, self.b = a, b

    def backward(self):
        return self.g * self.b.data, self.g * self.a.data


class Odd(Node):
    def __init__(self, x):
        super().__init__(x.data, x)

    def _back(self, x, mystery):
        x.g += self.g


class Unusual:
    def __init__(self, x):
        self.payload = getattr(x, "payload", 0) * 2
        self.slope = None

    def back(self, x):
        x.slope += 2 * self.slope
