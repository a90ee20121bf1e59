"""Layers as classes, in the styles that people write them in."""

import numpy as np


class Tanh:
    """Cached state; the backward takes the upstream alone."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, g):
        return g * (1 - self.y**2)


class SoftmaxLoss:
    """Static; inputs in one list, gradients in a list."""

    @staticmethod
    def softmax(input):  # noqa: A002  as its author calls it
        e = np.exp(input - input.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    @staticmethod
    def forward(inputs):
        return np.mean(-np.sum(inputs[1] * np.log(SoftmaxLoss.softmax(inputs[0])), axis=1))

    @staticmethod
    def backward(inputs, gradient):
        return [gradient * (SoftmaxLoss.softmax(inputs[0]) - inputs[1]) / inputs[0].shape[0]]


class Sigmoid:
    """Names of its own; an elementwise derivative."""

    def compute(self, incoming):
        return 1 / (1 + np.exp(-incoming))

    def delta(self, incoming, outgoing):
        return outgoing * (1 - outgoing)


class Affine:
    """Made from its parameters; gradients in dW and db."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(0)
        return dout @ self.W.T


class Stored:
    """Parameters and gradients in dicts; weights from the global random state."""

    def __init__(self, n, m):
        self.params = {"W": np.random.standard_normal((n, m)), "b": np.zeros(m)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.x.T @ dout
        self.grads["b"] = dout.sum(0)
        return dout @ self.params["W"].T


class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = None


class Modular:
    """Parameters that are objects; gradients accumulate, as in PyTorch."""

    def __init__(self, n=3, m=2):
        rng = np.random.default_rng()
        self.W = Parameter(rng.standard_normal((n, m)))
        self.b = Parameter(rng.standard_normal(m))

    def zero_grad(self):
        self.W.grad = self.b.grad = None

    def forward(self, x):
        self.x = x
        return x @ self.W.data + self.b.data

    def backward(self, g):
        dW, db = self.x.T @ g, g.sum(0)
        self.W.grad = dW if self.W.grad is None else self.W.grad + dW
        self.b.grad = db if self.b.grad is None else self.b.grad + db
        return g @ self.W.data.T


class Accumulating:
    """A buffer that the author's optimiser sets to zero."""

    def __init__(self):
        self.gamma = np.array([1.0, 2.0, 3.0])
        self.grad_gamma = np.zeros(3)
        self.running_mean = np.zeros(3)

    def __call__(self, x):
        self.x = x
        return x * self.gamma

    def backward_pass(self, accum_grad):
        self.grad_gamma += (accum_grad * self.x).sum(0)
        return accum_grad * self.gamma


class Returned:
    """Everything is returned, in a dict."""

    def __init__(self):
        self.scale = np.array([2.0])

    def forward(self, x):
        self.x = x
        return x * self.scale

    def backward(self, g):
        return {"dx": g * self.scale, "dscale": np.array([(g * self.x).sum()])}


class Tupled(Returned):
    """Everything is returned, in a tuple."""

    def backward(self, g):
        return g * self.scale, np.array([(g * self.x).sum()])


class AlongAxis:
    """The axis goes to the constructor."""

    def __init__(self, axis, keepdims=False):
        self.axis, self.keepdims = axis, keepdims

    def forward(self, x):
        self.shape = x.shape
        return x.sum(self.axis, keepdims=self.keepdims)

    def backward(self, g):
        return np.broadcast_to(g if self.keepdims else np.expand_dims(g, self.axis), self.shape)


class Slotted:
    __slots__ = ("dw", "w", "x")

    def __init__(self):
        self.w = np.array([1.5])

    def forward(self, x):
        self.x = x
        return x * self.w

    def backward(self, g):
        self.dw = np.array([(g * self.x).sum()])
        return g * self.w


class Forgetful(Affine):
    """Does not compute what it should."""

    def backward(self, dout):
        self.dW = None
        self.db = "nothing"
        return dout @ self.W.T


class Fragile:
    def __init__(self, x=None):
        raise ValueError("cannot be made")

    def forward(self, x):
        return x

    def backward(self, g):
        return g


class Leaving:
    """Returns nothing: outputs and gradients are left on the object, as in a well-known book."""

    def __init__(self, n=3, m=2):
        self.weights = 0.1 * np.random.randn(n, m)
        self.biases = np.zeros((1, m))

    def forward(self, inputs, training=True):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class LeavingLoss:
    def forward(self, y_pred, y_true):
        return ((y_pred - y_true) ** 2).mean()

    def backward(self, dvalues, y_true):
        self.dinputs = 2 * (dvalues - y_true) / dvalues.size


class LeavingElsewhere:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, g):
        self.back = {"upwards": 2 * self.x * g}
        return "done"
