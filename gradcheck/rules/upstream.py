"""How the upstream is used: not at all, in part, twice, or that of another slice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.response import affine
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@rule("ignored-upstream", "upstream", 10)
def ignored_upstream(view: View) -> Iterator[Prediction]:
    """The backward returns the local derivative and never looks at the upstream.

    How it comes about: the layer was only ever used as the loss, where the upstream is 1.

    Formula: a(g) = J^T 1 for every g.

    Hidden when: the upstream is all ones, as when backward is called on the loss itself.

    Mended: multiply with the upstream.

    Wrong::

        def backward(g, x): return y * (1 - y)

    Right::

        def backward(g, x): return g * y * (1 - y)
    """
    remedy = "multiply the local derivative with the upstream"
    nothing = np.zeros_like(view.J)
    message = "the result does not depend on the upstream: the local derivative alone was returned"
    yield Prediction(message, remedy, jacobian=nothing, offset=view.J.T @ np.ones(view.M), usual=True)
    if view.coupled:
        yield Prediction(message, remedy, jacobian=nothing, offset=view.diagonal, rank=1)
    if view.A is not None and affine(view) and not view.A.any() and np.count_nonzero(view.offset) > 1:
        yield Prediction(message, remedy, jacobian=nothing, offset=view.offset, rank=20, free=1)


def frozen(view: View) -> Iterator[tuple[tuple[int, ...], int, tuple[int, ...], Floats]]:
    """Yield Jacobians where some axes of the upstream always stand at one index.

    Yields the axes, the index they stand at (0 or -1), the shape of the output, and the matrix.
    """
    for section, shape in zip(view.sections, view.shapes, strict=True):
        long = [axis for axis in range(len(shape)) if shape[axis] > 1 or view.account is None]
        free = [axis for axis in long if not (view.alike and axis in view.axes)]
        groups = [axes for size in range(len(free), 0, -1) for axes in combinations(free, size)]
        if not view.alike:
            groups = [axes for axes in groups if axes[0] == min(free)]
        for axes in groups:
            for index in (0, -1):
                places = np.arange(int(np.prod(shape))).reshape(shape)
                used = places
                for axis in axes:
                    used = np.take(used, [0 if index == 0 else shape[axis] - 1], axis=axis)
                used = np.broadcast_to(used, shape)
                matrix = view.J.copy()
                part = np.zeros_like(view.J[section])
                np.add.at(part, used.ravel(), view.J[section])
                matrix[section] = part
                yield axes, index, shape, matrix


@rule("stale-slice-counter", "upstream", 20)
def stale_slice_counter(view: View) -> Iterator[Prediction]:
    """Every slice is given the upstream of the same slice.

    How it comes about: the counter that picks the slice of the upstream is a local name that is rebound, or a closure
    that sees the last value of the loop's variable.

    Formula: a_i = J_i^T g_0 for every slice i (or g_last).

    Hidden when: there is one slice, all slices of the upstream are equal, or the upstream is all ones.

    Mended: take the upstream's slice by the same index as the input's.

    Wrong::

        def one(s, slices, counter):
            r = jacobian(s) @ slices[counter]; counter += 1; return r

    Right::

        return np.stack([jacobian(s) @ u for s, u in zip(out, g)])
    """
    for axes, index, shape, matrix in frozen(view):
        if len(axes) < len(shape):
            which = "first" if index == 0 else "last"
            yield Prediction(
                f"every slice was given the upstream of the {which} slice",
                "advance the index of the upstream with the slice",
                jacobian=matrix,
                rank=len(shape) - len(axes),
                usual=True,
            )


@rule("upstream-partially-used", "upstream", 21)
def upstream_partially_used(view: View) -> Iterator[Prediction]:
    """Only one entry of the upstream is read, and used for all.

    How it comes about: ``g[0]`` or ``g.flat[0]`` where g is one number per sample: true for a loss that is reduced to
    a scalar, wrong with reduction "none".

    Formula: a = J^T (g_0 1).

    Hidden when: all entries of the upstream are equal, or there is one only.

    Mended: use the whole upstream, broadcast along the axes that the forward reduced.

    Wrong::

        return g[0] * d

    Right::

        return g[:, None] * d
    """
    for axes, index, shape, matrix in frozen(view):
        if len(axes) == len(shape):
            which = "first" if index == 0 else "last"
            yield Prediction(
                f"only the {which} entry of the upstream was read, and used for all",
                "use the whole upstream, one entry per entry of the output",
                jacobian=matrix,
                usual=True,
            )


@rule("fused-shortcut-in-unfused-node", "upstream", 25)
def fused_shortcut(view: View) -> Iterator[Prediction]:
    """The closed form of two layers together is returned by one of them alone.

    How it comes about: (p - t) / N is the gradient of cross-entropy *and* softmax with respect to the logits; here the
    cross-entropy on probabilities returns it, or log-softmax returns g - p.

    Formula: a = S J^T g, where S is the Jacobian of the activation that is not part of this layer.

    Hidden when: for log-softmax, the upstream's slices sum to 1; for cross-entropy on probabilities never.

    Mended: return the derivative of this layer alone, -t / p / N; or fuse the two layers into one.

    Wrong::

        def cross_entropy_backward(g, p, t): return g * (p - t) / len(t)

    Right::

        def cross_entropy_backward(g, p, t): return -g * t / p / len(t)
    """
    remedy = "return the derivative of this layer alone, or make one layer of the two"
    for label, sure, activation in _activations(view) if not view.coupled else ():
        yield Prediction(
            f"the gradient of this layer and a {label} before it was returned by this layer alone",
            remedy,
            jacobian=view.J @ activation,
            rank=0 if sure else 2,
            evidence={"fused with": label},
            usual=sure and label != "tanh" and view.M < view.N,
        )
    shape = view.anatomy
    if shape is not None and len(shape.terms) == 1:
        (term,) = shape.terms
        if np.allclose(term.inside, term.inside[0], rtol=view.slack):
            yield Prediction(
                "the sum of the upstream over the slice was taken to be 1, as it is behind a plain loss",
                remedy,
                jacobian=np.diag(shape.d),
                offset=term.outside * term.inside[0],
            )
        yield Prediction(
            "the upstream was passed through unchanged, as if the layer behind had taken the derivative of this one",
            remedy,
            jacobian=np.eye(view.N),
            rank=5,
        )


def _activations(view: View) -> Iterator[tuple[str, bool, Floats]]:
    """Jacobians of activations whose output this input could be, in terms of that output; and whether it surely is."""
    x = view.x
    flat = x.ravel()
    place = np.unravel_index(np.arange(view.N), x.shape) if x.ndim else ()
    for axis in range(x.ndim):
        if x.shape[axis] < 2:
            continue
        same = np.ones((view.N, view.N), dtype=bool)
        for other in range(x.ndim):
            if other != axis:
                same &= place[other][:, None] == place[other][None, :]
        if np.all(flat > 0):
            sure = bool(np.allclose(x.sum(axis), 1.0, atol=1e-8))
            yield "softmax", sure, np.diag(flat) - np.outer(flat, flat) * same
        p = np.exp(np.minimum(flat, 50.0))
        total = p.reshape(x.shape).sum(axis, keepdims=True)
        sure = bool(np.allclose(total, 1.0, atol=1e-8))
        one = np.ones(view.N)
        yield "log-softmax", sure, np.eye(view.N) - np.outer(one, p) * same
        if not sure:
            share = (p.reshape(x.shape) / total).ravel()
            yield "log-softmax", False, np.eye(view.N) - np.outer(one, share) * same
    if np.all((flat > 0) & (flat < 1)):
        yield "sigmoid", True, np.diag(flat * (1 - flat))
    if np.all(np.abs(flat) < 1):
        yield "tanh", True, np.diag(1 - flat * flat)
