"""Functions of torch.autograd, modules and pairs with bugs that tests of their own did not notice."""

import torch
from torch import nn


class SwishOneTerm(torch.autograd.Function):
    """Forgets that sigmoid depends on x as well."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * torch.sigmoid(x)


class ExpOfInput(torch.autograd.Function):
    """Saves the input and multiplies by it, as if it were the output."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.exp()

    @staticmethod
    def backward(ctx, grad_output):
        (y,) = ctx.saved_tensors
        return grad_output * y


class SquareMatrix(torch.autograd.Function):
    """x W with a square W: the missing transpose changes no shape."""

    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return x @ weight

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        return grad_output @ weight, x.t() @ grad_output


class BiasMean(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, bias):
        return x + bias

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output, grad_output.mean(0)


class SoftmaxDiagonal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.softmax(x, -1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        (y,) = ctx.saved_tensors
        return grad_output * y * (1 - y)


class LocalDerivative(torch.autograd.Function):
    """Returns the derivative itself: with sum().backward() it is right."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 1 - torch.tanh(x) ** 2


class MeanSquares(torch.autograd.Function):
    """The mean in the forward, the sum in the backward."""

    @staticmethod
    def forward(ctx, x, target):
        ctx.save_for_backward(x, target)
        return (x - target).square().mean()

    @staticmethod
    def backward(ctx, grad_output):
        x, target = ctx.saved_tensors
        return 2 * grad_output * (x - target), None


class Clamp(torch.autograd.Function):
    """Lets the gradient through where the function is flat."""

    @staticmethod
    def forward(ctx, x):
        return x.clamp(-1, 1)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output


class Round(torch.autograd.Function):
    """A straight-through estimator: on purpose mostly, and yet no gradient."""

    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output


class Reverse(torch.autograd.Function):
    """A gradient reversal, as domain adaptation has it: on purpose too."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        return -grad_output


class DropoutTwice(torch.autograd.Function):
    """Draws the mask a second time."""

    @staticmethod
    def forward(ctx, x):
        return x * (torch.rand_like(x) > 0.4)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * (torch.rand_like(grad_output) > 0.4)


class ScaleInPlace(torch.autograd.Function):
    """Multiplies the tensor that other branches of the graph receive as well."""

    @staticmethod
    def forward(ctx, x):
        return 3 * x

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.mul_(3)


class UnmarkedInPlace(torch.autograd.Function):
    """Changes its input and does not say so."""

    @staticmethod
    def forward(ctx, x):
        return x.mul_(2).clone()

    @staticmethod
    def backward(ctx, grad_output):
        return 2 * grad_output


class FirstOnly(torch.autograd.Function):
    """Keeps on the class what belongs on ctx, and only once."""

    saved = None

    @staticmethod
    def forward(ctx, x):
        if FirstOnly.saved is None:
            FirstOnly.saved = x.detach().clone()
        return x**2

    @staticmethod
    def backward(ctx, grad_output):
        return 2 * FirstOnly.saved * grad_output


class Accumulates(torch.autograd.Function):
    """Adds up the gradient of the weight on the class."""

    total = 0

    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return x * weight

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        Accumulates.total = Accumulates.total + (grad_output * x).sum(0)
        return grad_output * weight, Accumulates.total


class TooFew(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(weight)
        return x * weight

    @staticmethod
    def backward(ctx, grad_output):
        (weight,) = ctx.saved_tensors
        return grad_output * weight


class Transposed(torch.autograd.Function):
    """Returns the gradient of the weight in its transpose's shape."""

    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return x @ weight

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        return grad_output @ weight.t(), grad_output.t() @ x


class NoneForWeight(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(weight)
        return x * weight

    @staticmethod
    def backward(ctx, grad_output):
        (weight,) = ctx.saved_tensors
        return grad_output * weight, None


class Swapped(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y**2

    @staticmethod
    def backward(ctx, grad_output):
        x, y = ctx.saved_tensors
        return grad_output * 2 * x * y, grad_output * y**2


class NoMeanPath(torch.autograd.Function):
    """Layer normalisation whose mean is taken for a constant."""

    @staticmethod
    def forward(ctx, x):
        centred = x - x.mean(-1, keepdim=True)
        rstd = (centred.square().mean(-1, keepdim=True) + 1e-5).rsqrt()
        ctx.save_for_backward(centred * rstd, rstd)
        return centred * rstd

    @staticmethod
    def backward(ctx, grad_output):
        hat, rstd = ctx.saved_tensors
        return rstd * (grad_output - hat * (grad_output * hat).mean(-1, keepdim=True))


class HalfPrecision(torch.autograd.Function):
    """Goes through float16 in the backward."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return (grad_output.half() * 2 * x.half()).to(x.dtype)


class CubeForward(torch.autograd.Function):
    """Right in reverse mode; the rule for the forward mode has lost its 3."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad_output

    @staticmethod
    def jvp(ctx, tangent):
        (x,) = ctx.saved_tensors
        return x**2 * tangent


class CubeOnce(torch.autograd.Function):
    """Right once; the factor that was computed in the forward is no function of x for the second derivative."""

    @staticmethod
    def forward(ctx, x):
        ctx.slope = 3 * x**2
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        return ctx.slope * grad_output


def normalise(x):
    """The norm is detached."""
    return x / x.norm(dim=-1, keepdim=True).detach()


def temperature(x, w):
    """A weight that leaves the graph through its data."""
    return torch.tanh(x * w.data)


class Average(nn.Module):
    """The scale is read as a number."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, x):
        return x.mean(-1) * self.scale.item()


def softmax(x, dim):
    e = (x - x.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


def softmax_backward(grad, output, dim):
    return output * (grad - (grad * output).sum(0, keepdim=True))


class Affine:
    """A layer of a course in which autograd is not allowed."""

    @staticmethod
    def forward(x, w, b):
        cache = (x, w)
        return x.mm(w) + b, cache

    @staticmethod
    def backward(dout, cache):
        x, w = cache
        return -dout.mm(w.t()), x.t().mm(dout), dout.sum(dim=0)
