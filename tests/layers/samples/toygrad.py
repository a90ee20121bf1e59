"""A framework as small as can be: tensors, and functions that know their gradient."""

import numpy as np


class Tensor:
    def __init__(self, data, function=None, parents=()):
        self.data, self.function, self.parents, self.grad = np.array(data, dtype=float), function, parents, None

    def numpy(self):
        return self.data

    def backward(self, g):
        """Hand the gradient to the tensors that this one was made of."""
        for parent, part in zip(self.parents, self.function.gradient(g, *self.parents), strict=True):
            parent.grad = part


class Function:
    arguments = ("x",)

    def __call__(self, *tensors):
        return Tensor(self.value(*(tensor.data for tensor in tensors)), self, tensors)


class Square(Function):
    def value(self, x):
        return x**2

    def gradient(self, g, x):
        return (2 * x.data * g,)


class Product(Function):
    arguments = ("x", "y")

    def value(self, x, y):
        return x * y

    def gradient(self, g, x, y):
        return g * y.data, g * x.data


class HalfProduct(Product):
    """Forgets the second gradient."""

    def gradient(self, g, x, y):
        return g * y.data, None


class HalfSquare(Square):
    def gradient(self, g, x):
        return (x.data * g,)


square, product, half_product, half_square = Square(), Product(), HalfProduct(), HalfSquare()
