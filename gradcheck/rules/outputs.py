"""Several inputs and outputs: a contribution that is missing, or takes the wrong way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.view import View


@rule("missing-input-gradient", "indexing", 3)
def missing_gradient(view: View) -> Iterator[Prediction]:
    """A differentiable input is given zeros, or None.

    How it comes about: the gradient was never written, because training does not need it, or because it is returned in
    the place of another.

    Formula: a = 0 where J^T g is not.

    Hidden when: that input is not checked.

    Mended: write the gradient, or leave the input out of ``wrt``.

    Wrong::

        return dx, np.zeros_like(gamma)

    Right::

        return dx, (g * xhat).sum(0)
    """
    message = f"no gradient was returned for {view.name}"
    remedy = "return its gradient, or leave it out of wrt"
    if view.account is not None and view.account.gradients.get(view.name) is None:
        if view.account.contract & {"wrong-shape", "transposed-jacobian"}:
            return  # one was returned, and could not be used
        yield Prediction(message, remedy, explained=0.0)
    elif view.J.any():
        text = f"the gradient of {view.name} is zero everywhere"
        yield Prediction(text, remedy, jacobian=np.zeros_like(view.J), usual=True)


@rule("output-contribution-missing", "indexing", 9)
def output_missing(view: View) -> Iterator[Prediction]:
    """A layer of several outputs uses the upstream of some of them only.

    How it comes about: the second output was added later, or is thought to be unused.

    Formula: a = J_1^T g_1 where the truth is J_1^T g_1 + J_2^T g_2.

    Hidden when: the other output is not used, so that its upstream is zero.

    Mended: add what comes back through every output.

    Wrong::

        def backward(g, g_state, x): return vjp_output(g)

    Right::

        def backward(g, g_state, x): return vjp_output(g) + vjp_state(g_state)
    """
    if len(view.sections) < 2:
        return
    for number, section in enumerate(view.sections):
        if np.any(np.abs(view.J[section]) > view.zero):
            matrix = view.J.copy()
            matrix[section] = 0.0
            yield Prediction(
                f"the upstream of output {number} was not used",
                "add what comes back through that output",
                jacobian=matrix,
                usual=True,
            )


@rule("branch-gradient-through-wrong-node", "upstream", 14)
def wrong_node(view: View) -> Iterator[Prediction]:
    """The gradient of a side output is pushed through an operation that it bypassed.

    How it comes about: the upstreams of two outputs are added too early: dnorm(g1 + g2) instead of dnorm(g1) + g2.

    Formula: a = N^T (g_1 + g_2) where the truth is N^T g_1 + g_2.

    Hidden when: the side output is not used.

    Mended: add the upstream of an output at the node it comes from.

    Wrong::

        return norm_vjp(g_out + g_residual)

    Right::

        return norm_vjp(g_out) + g_residual
    """
    for first, own in enumerate(view.sections):
        for second, other in enumerate(view.sections):
            if first == second or view.J[own].shape != view.J[other].shape:
                continue
            message = f"the upstream of output {first} was sent back along the way of output {second}"
            remedy = "add the upstream of every output at the node that the output comes from"
            matrix = view.J.copy()
            matrix[own] = view.J[other]
            yield Prediction(message, remedy, jacobian=matrix, usual=True)
            if view.J[own].shape[0] == view.N:
                matrix = view.J.copy()
                matrix[own] = view.J[own] @ view.J[other]
                yield Prediction(message, remedy, jacobian=matrix, rank=1)
