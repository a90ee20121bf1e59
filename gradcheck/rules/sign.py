"""Signs."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.view import View


@rule("sign-error", "sign", 5)
def sign_error(view: View) -> Iterator[Prediction]:
    """The gradient of one input is negated.

    How it comes about: the minus of a loss, or of the second operand of a subtraction, is lost or written twice.

    Formula: a = -J^T g.

    Hidden when: only norms or absolute values are compared, or only the other operand is checked.

    Mended: follow the sign through the derivation.

    Wrong::

        def subtract_backward(g, a, b): return g, g

    Right::

        def subtract_backward(g, a, b): return g, -g
    """
    yield Prediction("the gradient has the opposite sign", "negate it", jacobian=-view.J, usual=True)
