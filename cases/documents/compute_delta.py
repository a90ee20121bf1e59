"""A small library: ``compute`` is a function, ``delta`` what it is multiplied with on the way back."""

import numpy as np


class Softmax:
    def compute(self, incoming):
        powers = np.exp(incoming)
        return powers / powers.sum()

    def delta(self, incoming, outgoing):
        """1 / (2 + e/o + o/e), where o is the sum of the other exponentials. This is s (1 - s)."""
        powers = np.exp(incoming)
        rest = powers.sum() - powers
        return 1 / (2 + powers / rest + rest / powers)


class SquaredError:
    def __init__(self, target):
        self.target = np.asarray(target)

    def compute(self, outgoing):
        return 0.5 * np.sum((outgoing - self.target) ** 2)

    def delta(self, outgoing):
        return outgoing - self.target
