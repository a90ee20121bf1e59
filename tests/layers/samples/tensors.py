"""What is written for PyTorch; only to be imported where that is installed."""

import numpy as np
import torch
from torch import nn


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 2 * x * grad_output


class HalfSquare(Square):
    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return x * grad_output


class Power(torch.autograd.Function):
    """With options, one of them with a default, and a context that is set up on its own."""

    @staticmethod
    def forward(x, exponent, scale=1.0):
        return scale * x**exponent

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.x, ctx.exponent, ctx.scale = inputs

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * ctx.scale * ctx.exponent * ctx.x ** (ctx.exponent - 1), None, None


class InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(3)

    @staticmethod
    def backward(ctx, grad_output):
        return 3 * grad_output


class Unmarked(InPlace):
    @staticmethod
    def forward(ctx, x):
        return x.mul_(3).clone()


class Returns(torch.autograd.Function):
    """Returns from its backward what the option says."""

    @staticmethod
    def forward(ctx, x, y, what):
        ctx.what = what
        return x * y

    @staticmethod
    def backward(ctx, grad_output):
        return {
            "few": grad_output,
            "shape": (grad_output[:2], grad_output, None),
            "number": (1.0, grad_output, None),
        }[ctx.what]


class Counter(torch.autograd.Function):
    """Keeps something on the class."""

    calls = 0

    @staticmethod
    def forward(ctx, x):
        Counter.calls += 1
        return x * 1.0

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output


class Net(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.first = nn.Linear(2, width)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x, scale=1.0):
        return scale * torch.tanh(self.norm(self.first(x)))


class Tied(nn.Module):
    """One weight in two places."""

    def __init__(self):
        super().__init__()
        self.one = nn.Linear(2, 2, bias=False)
        self.two = nn.Linear(2, 2, bias=False)
        self.two.weight = self.one.weight

    def forward(self, x):
        return self.two(torch.tanh(self.one(x)))


square = Square.apply
drawn = torch.randn(3, 2)


def plain(x, w):
    return torch.tanh(x @ w)


def nested(params, x):
    return torch.tanh(x @ params["w"] + params["b"][0])


def hidden_change(x):
    x.data.mul_(2)
    return x * 1.0


def noisy(x):
    return x * torch.rand_like(x)


def in_half(x):
    return x.to(torch.bfloat16) * 2


def softmax(x, dim):
    e = x.exp()
    return e / e.sum(dim, keepdim=True)


def softmax_backward(g, y, dim):
    return y * (g - (y * g).sum(dim, keepdim=True))


def change_upstream(g, y, dim):
    return g.mul_(2)


def of_arrays(x):
    """Takes numpy arrays, and uses tensors only within."""
    return torch.tanh(torch.from_numpy(x)).numpy()


def of_arrays_backward(g, y):
    return g * (1 - np.square(y))


class Affine:
    @staticmethod
    def forward(x, w):
        return x.mm(w), (x, w)

    @staticmethod
    def backward(dout, cache):
        x, w = cache
        return dout.mm(w.t()), x.t().mm(dout)
