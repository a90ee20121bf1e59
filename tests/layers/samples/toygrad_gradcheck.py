"""The adapter of toygrad: all that a stranger has to write."""

import sys

from gradcheck.layers import Gradients, Mismatch

TOYGRAD = "tests.layers.samples.toygrad"


def adapt(thing, *, inputs, **_):
    """Return the layer of a function of toygrad, and ``None`` for anything else."""
    toygrad = sys.modules.get(TOYGRAD)
    if toygrad is None or not isinstance(thing, toygrad.Function):
        return None
    return ToyLayer(toygrad, thing, tuple(inputs or thing.arguments))


class ToyLayer:
    """A function of toygrad as a layer."""

    defaults, options, source = {}, (), None

    def __init__(self, toygrad, function, inputs):
        self.toygrad, self.function, self.inputs = toygrad, function, inputs
        self.name = type(function).__name__

    def forward(self, inputs, options):
        self.tensors = {name: self.toygrad.Tensor(inputs[name]) for name in self.inputs}
        self.output = self.function(*self.tensors.values())
        return (self.output.numpy(),)

    def vjp(self, upstream, inputs, outputs, options, wrt):
        self.output.backward(upstream[0])
        grads = {name: self.tensors[name].grad for name in wrt}
        missing = [name for name in wrt if grads[name] is None]
        return Gradients(
            {name: grads[name] for name in wrt if name not in missing},
            [Mismatch("missing-input-gradient", f"no gradient reached {name}", name) for name in missing],
        )

    def fresh(self):
        return ToyLayer(self.toygrad, type(self.function)(), self.inputs)
