"""Pages of what a single call shows: outputs that are no numbers, coarse arithmetic, memory of another kind."""

from gradcheck.rules.registry import declare

declare(
    "non-finite-output",
    "contract",
    """Some outputs are nan or infinite at the case's own inputs.

    How it comes about: a logarithm of zero, a division by zero, an overflow; or a mask that is meant to be -inf.

    Formula: f(x) is not finite, so neither is its derivative.

    Hidden when: the inputs stay inside the domain.

    Mended: choose inputs inside the domain; outputs that are meant to be infinite are left out of the check.

    Wrong::

        y = np.log(p)                                 # p = 0

    Right::

        y = np.log(np.maximum(p, tiny))
    """,
)
declare(
    "low-precision-backward",
    "numerics",
    """The backward computes in single precision although the forward and its inputs are float64.

    How it comes about: an intermediate array is made as float32, by a cast or by a default dtype.

    Formula: a(g / 3) * 3 differs from a(g) by 1e-7, not by 1e-16.

    Hidden when: all arrays are float32.

    Mended: keep the intermediate arrays in the dtype of the inputs.

    Wrong::

        dx = np.zeros(x.shape, np.float32)

    Right::

        dx = np.zeros_like(x)
    """,
)
declare(
    "remembers-earlier-calls",
    "state",
    """Two calls with the same arguments return different gradients, and no sum or random number explains it.

    How it comes about: a buffer, a moving average or a counter that lives in the layer enters the backward.

    Formula: a_2(g, x) != a_1(g, x).

    Hidden when: the backward is called once.

    Mended: let the backward depend on its arguments and on the forward just before it, on nothing else.

    Wrong::

        self.average = 0.9 * self.average + 0.1 * g; return self.average * y

    Right::

        return g * y
    """,
)
