"""torch.nn.functional and torch.linalg, called with the arguments that a case file cannot spell."""

import torch
import torch.nn.functional as F


def ctc_loss(log_probs, reduction="mean"):
    """Two sequences, of five and four steps."""
    targets = torch.tensor([[1, 2], [3, 1]])
    return F.ctc_loss(log_probs, targets, torch.tensor([5, 4]), torch.tensor([2, 1]), reduction=reduction)


def ctc_loss_of_logits(logits, reduction="mean"):
    return ctc_loss(F.log_softmax(logits, -1), reduction)


def batch_norm(x, weight, bias):
    return F.batch_norm(x, None, None, weight, bias, training=True)


def margin_ranking(a, b):
    return F.margin_ranking_loss(a, b, torch.tensor([1.0, -1.0, 1.0, 1.0]), margin=0.3)


def cosine_embedding(a, b):
    return F.cosine_embedding_loss(a, b, torch.tensor([1, -1, 1, 1]))


def multilabel_margin(x):
    return F.multilabel_margin_loss(x, torch.tensor([[1, 0, -1, 2, 3], [3, -1, 0, 0, 1], [0, 1, 2, 3, -1]]))


def embedding(weight, places, padding_idx=None):
    return F.embedding(places, weight, padding_idx)


def embedding_bag(weight, places, mode="mean"):
    return F.embedding_bag(places, weight, mode=mode)


def max_unpool(x):
    pooled, places = F.max_pool1d(x, 2, return_indices=True)
    return F.max_unpool1d(pooled, places, 2)


def gumbel_softmax(x):
    return F.gumbel_softmax(x, tau=0.7, hard=True)


def log_determinant(x):
    return torch.linalg.slogdet(x)[1]


def eigenvalues(x):
    return torch.linalg.eigvalsh(x + x.T)


def cholesky(x):
    return torch.linalg.cholesky(x @ x.T + 3 * torch.eye(len(x), dtype=x.dtype))


def cumulative_product(x):
    return torch.cumprod(x, 1)


def last_pooled(x, kernel_size=3, stride=2, padding=1):
    return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode=True, count_include_pad=False)


def spread(x):
    return x.std(1)


def scatter_product(x, y):
    """Products of what is scattered to the same places."""
    return torch.scatter_reduce(x, 1, torch.tensor([[0, 1, 1, 2]] * len(x)), y, "prod")
