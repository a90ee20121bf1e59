"""Modules, and layers that are written on tensors without autograd, all right."""

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class Mlp(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.first = nn.Linear(5, width)
        self.norm = nn.BatchNorm1d(width)
        self.last = nn.Linear(width, 2, bias=False)

    def forward(self, x):
        return self.last(torch.tanh(self.norm(self.first(x))))


class Residual(nn.Module):
    """Recomputes its inner part in the backward."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(5, 5), nn.SiLU())
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        return x + self.scale * checkpoint(self.inner, x, use_reentrant=False)


class Tagger(nn.Module):
    """Integers in, several outputs."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.lstm = nn.LSTM(4, 3, batch_first=True)

    def forward(self, tokens):
        output, (hidden, cell) = self.lstm(self.embedding(tokens))
        return {"output": output, "hidden": hidden, "cell": cell}


class Affine:
    """A layer of a course in which autograd is not allowed: static methods and a cache."""

    @staticmethod
    def forward(x, w, b):
        cache = (x, w)
        return x.mm(w) + b, cache

    @staticmethod
    def backward(dout, cache):
        x, w = cache
        return dout.mm(w.t()), x.t().mm(dout), dout.sum(dim=0)


class Relu:
    """The same as an object that keeps what its backward needs."""

    def forward(self, x):
        self.mask = x > 0
        return x.clamp(min=0)

    def backward(self, dout):
        return dout * self.mask


class Squash(nn.Module):
    """A module whose author wrote the backward too."""

    def __init__(self, slope):
        super().__init__()
        self.slope = slope

    def forward(self, x):
        self.y = torch.tanh(self.slope * x)
        return self.y

    def backward(self, grad_output):
        return self.slope * (1 - self.y**2) * grad_output


mlp = Mlp()
