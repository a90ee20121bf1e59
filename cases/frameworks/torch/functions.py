"""Functions of torch.autograd as people write them, all right."""

import torch


class Swish(torch.autograd.Function):
    """x sigmoid(x), with its own memory."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_output * (s + x * s * (1 - s))


class Exp(torch.autograd.Function):
    """Saves its output, as the tutorial does."""

    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        (y,) = ctx.saved_tensors
        return grad_output * y


class Linear(torch.autograd.Function):
    """The linear layer of "Extending PyTorch", with an optional bias."""

    @staticmethod
    def forward(x, weight, bias=None):
        output = x.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, weight, bias = inputs
        ctx.save_for_backward(x, weight, bias)

    @staticmethod
    def backward(ctx, grad_output):
        x, weight, bias = ctx.saved_tensors
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_x = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(x)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_x, grad_weight, grad_bias


class Scale(torch.autograd.Function):
    """A constant beside the tensor: its gradient is None."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * ctx.factor, None


class AddBias(torch.autograd.Function):
    """Returns the gradient of the bias as broadcast: autograd itself sums what is too large."""

    @staticmethod
    def forward(ctx, x, bias):
        return x + bias

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output, grad_output


class DoubleInPlace(torch.autograd.Function):
    """Changes its input in place, and says so."""

    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, grad_output):
        return 2 * grad_output


class LayerNorm(torch.autograd.Function):
    """Normalises the last axis; the option eps has no gradient."""

    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        centred = x - x.mean(-1, keepdim=True)
        rstd = (centred.square().mean(-1, keepdim=True) + eps).rsqrt()
        hat = centred * rstd
        ctx.save_for_backward(hat, rstd, gamma)
        return hat * gamma + beta

    @staticmethod
    def backward(ctx, grad_output):
        hat, rstd, gamma = ctx.saved_tensors
        g = grad_output * gamma
        dx = rstd * (g - g.mean(-1, keepdim=True) - hat * (g * hat).mean(-1, keepdim=True))
        over = tuple(range(grad_output.dim() - 1))
        return dx, (grad_output * hat).sum(over), grad_output.sum(over), None


class MinMax(torch.autograd.Function):
    """Two outputs, the second of them of integers."""

    @staticmethod
    def forward(ctx, x):
        values, places = x.max(-1)
        ctx.save_for_backward(places)
        ctx.shape = x.shape
        ctx.mark_non_differentiable(places)
        return values, places

    @staticmethod
    def backward(ctx, grad_values, grad_places):
        (places,) = ctx.saved_tensors
        grad = grad_values.new_zeros(ctx.shape)
        return grad.scatter_(-1, places.unsqueeze(-1), grad_values.unsqueeze(-1))


class Dropout(torch.autograd.Function):
    """Draws its mask once, and keeps it."""

    @staticmethod
    def forward(ctx, x, p=0.4):
        mask = (torch.rand_like(x) > p).to(x.dtype) / (1 - p)
        ctx.save_for_backward(mask)
        return x * mask

    @staticmethod
    def backward(ctx, grad_output):
        (mask,) = ctx.saved_tensors
        return grad_output * mask, None


class Cube(torch.autograd.Function):
    """With a rule for each mode."""

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
        return 3 * x**2 * tangent


swish = Swish.apply


def gated(x, w):
    """Functions of one's own within a function of tensors."""
    return Swish.apply(x @ w) * torch.tanh(x @ w)


def softmax(x, dim):
    e = (x - x.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


def softmax_backward(grad, output, dim):
    return output * (grad - (grad * output).sum(dim, keepdim=True))
