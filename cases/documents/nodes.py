"""Nodes of a small graph engine: ``data`` is a node's value, ``g`` its gradient, ``_back`` hands g to the parents."""

import numpy as np


class NetNode:
    def __init__(self, data, *parents):
        self.data = np.asarray(data)
        self.g = np.zeros(self.data.shape)
        self.parents = parents

    def _back(self, *parents):
        for parent in self.parents:
            if getattr(parent, "parents", ()):
                parent._back(*parent.parents)


class SoftMax(NetNode):
    """The eye is as large as the batch, so its ones mark sample numbers instead of classes."""

    def __init__(self, x):
        shifted = x.data - x.data.max(axis=1, keepdims=True)
        shares = np.exp(shifted)
        shares /= shares.sum(axis=1, keepdims=True)
        super().__init__(shares, x)

    def _back(self, x):
        local = self.data * (np.eye(len(self.data)) - self.data)
        x.g += self.g * local
        super()._back()


class SoftMaxElementwise(SoftMax):
    """What the author settled on: every probability is treated as a function of its own logit alone."""

    def _back(self, x):
        x.g += self.g * self.data * (1.0 - self.data)
        NetNode._back(self)


class SoftMaxMended(SoftMax):
    """Every probability depends on every logit of its row."""

    def _back(self, x):
        along = (self.g * self.data).sum(axis=1, keepdims=True)
        x.g += self.data * (self.g - along)
        NetNode._back(self)


class LCE(NetNode):
    """Cross-entropy of probabilities p against targets t, whose gradient for p belongs to the logits before p."""

    def __init__(self, p, t):
        loss = -np.sum(t.data * np.log(p.data)) / len(t.data)
        super().__init__(loss, p, t)

    def _back(self, p, t):
        n = len(t.data)
        p.g += self.g * (p.data - t.data) / n
        t.g += -self.g * np.log(p.data) / n
        super()._back()


class LCEMended(LCE):
    """The derivative of -t log p is -t / p."""

    def _back(self, p, t):
        n = len(t.data)
        p.g += -self.g * t.data / p.data / n
        t.g += -self.g * np.log(p.data) / n
        NetNode._back(self)
