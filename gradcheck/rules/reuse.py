"""Inputs that are used twice, and steps that depend on the steps before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.paths import known_activation, splits
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View, switched


@rule("reused-input-not-accumulated", "indexing", 18)
def reused_input(view: View) -> Iterator[Prediction]:
    """An input is used twice (residual, tied weights, x * x) and only one use is counted.

    How it comes about: ``.grad =`` instead of ``.grad +=``; the identity path of a residual block is forgotten.

    Formula: a is J^T g less the contribution of one path; for x * x it is half of the truth.

    Hidden when: never, unless the other path is saturated; a graph node that sets the gradient is right as long as
    its parent is used once, and is found by a backward onto parents that have a gradient already.

    Mended: add the gradients of all uses.

    Wrong::

        return d @ W.T                                # forward: x + tanh(x @ W)

    Right::

        return g + d @ W.T
    """
    remedy = "add the gradients of all uses of the input"
    for split in splits(view):
        kinds = [path.kind for path in split.paths]
        if kinds == ["identity", "rest"]:
            single = view.elementwise and view.account is not None
            if single and not _residual(view):
                continue
            yield Prediction(
                "the identity path is missing: the upstream itself was not added",
                remedy,
                jacobian=split.paths[1].matrix,
                # any function is x and a rest: unless that rest is a known one, other names come first
                rank=10 if single and known_activation(view, view.diagonal - 1.0) is None else 0,
            )
            if single:
                continue
            yield Prediction("only the identity path arrived", remedy, jacobian=split.paths[0].matrix, rank=14)
        elif "past" in kinds or "through" in kinds or "use" in kinds:
            for place, path in enumerate(split.paths):
                matrix = view.J - path.matrix
                if view.account is not None and switched(view.J, matrix, 100 * view.zero):
                    continue  # what that input does there is to decide a branch
                yield Prediction(f"{path.label} is missing", remedy, jacobian=matrix, rank=1 + place, usual=place == 0)
    yield from _by_degree(view, remedy)
    yield from _by_symmetry(view, remedy)
    yield from _of_matrix(view, remedy)


def _of_matrix(view: View, remedy: str) -> Iterator[Prediction]:
    """A matrix is used twice, once in the last product (tied weights, two steps of one matrix): one use was counted.

    With h held constant the output W h is linear in W: what that use returns, times W, is the output. Where the factors
    of the product sum to 1 they are weights of an average, which have another name.
    """
    if view.A is None or view.offset.any() or view.x.ndim != 2 or min(view.x.shape) < 2 or len(view.shapes) != 1:
        return
    others = [v for n, v in view.truth.inputs.items() if n != view.name and np.size(v) > 1]
    if not others or view.alike or not np.all(np.isfinite(view.A)):
        return
    for part, words in ((view.A, "only the last use was counted"), (view.J - view.A, "the last use is missing")):
        off = distance(part @ view.x.ravel(), view.y)
        if off < view.tolerance and distance(view.J @ view.x.ravel(), view.y) > 100 * off and _product(view, part):
            text = f"{view.name} is used twice, {words}"
            yield Prediction(
                text, remedy, explained=off, rank=26, evidence={"checked": f"that use is linear in {view.name}"}
            )


def _product(view: View, part: Floats) -> bool:
    """Whether every output is made of one row (or one column) of a matrix, with factors that do not sum to 1."""
    live = (np.abs(part) > 100 * view.zero).reshape(view.M, *view.x.shape)
    sums = part.sum(axis=1)
    if np.allclose(sums, 1.0, atol=1e-6) or not live.any():
        return False
    by_row, by_column = live.any(axis=2).sum(axis=1), live.any(axis=1).sum(axis=1)
    return bool((np.all(by_row == 1) and by_column.min() > 1) or (np.all(by_column == 1) and by_row.min() > 1))


def _residual(view: View) -> bool:
    """Whether an elementwise layer may be x and something: a 1 in its slope that no known function brings along."""
    products = [path.matrix for split in splits(view) for path in split.paths if path.kind.endswith("product")]
    one = np.eye(view.N)
    if any(distance(matrix, one) < max(1e-6, view.slack) for matrix in products):
        return False
    return known_activation(view, view.diagonal) is None


def _by_degree(view: View, remedy: str) -> Iterator[Prediction]:
    """Layers that are homogeneous of degree two or three in an input: one use counted gives one times the output."""
    if view.A is None or view.offset.any() or not np.any(view.y) or view.elementwise:
        return
    x = view.x.ravel()
    true, seen = view.J @ x, view.A @ x
    for degree in (2, 3):
        for counted in range(1, degree):
            if distance(true, degree * view.y) < view.slack and distance(seen, counted * view.y) < view.tolerance:
                yield Prediction(
                    f"{view.name} is used {degree} times, and {counted} of the uses were counted",
                    remedy,
                    explained=distance(seen, counted * view.y),
                    rank=5 if view.M > 1 else 20,
                    evidence={"checked": f"J x = {degree} y, A x = {counted} y"},
                )


def _by_symmetry(view: View, remedy: str) -> Iterator[Prediction]:
    """Layers with a symmetric output (x^T x, distances of all pairs): the uses are each other's mirror image."""
    if view.A is None or view.offset.any() or len(view.shapes) != 1 or len(view.shapes[0]) < 2:
        return
    shape = view.shapes[0]
    if shape[-1] != shape[-2] or shape[-1] < 2:
        return
    mirror = np.swapaxes(np.arange(view.M).reshape(shape), -1, -2).ravel()
    if distance(view.J[mirror], view.J) > view.slack or distance(view.A[mirror], view.A) < 1e-3:
        return
    for share, words in ((1.0, "was counted"), (0.5, "was counted twice")):
        value = distance(share * (view.A + view.A[mirror]), view.J)
        if value < view.tolerance:
            yield Prediction(
                f"{view.name} is used twice and one use {words}: the other is its mirror image",
                remedy,
                explained=value,
                evidence={"checked": "A and its mirror image add up to J" + (", twice" if share < 1 else "")},
            )


def steps(view: View) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield axes along which the layer runs in time: the step of every output entry and of every input entry.

    Along such an axis an output depends on the inputs of its own step and of earlier ones, and on some earlier one.
    """
    if len(view.shapes) != 1:
        return
    (shape,) = view.shapes
    linked = np.abs(view.J) > view.zero
    for axis in range(min(2, len(shape), view.x.ndim)):
        if shape[axis] != view.x.shape[axis] or shape[axis] < 2:
            continue
        out = np.unravel_index(np.arange(view.M), shape)[axis]
        into = np.unravel_index(np.arange(view.N), view.x.shape)[axis]
        earlier, later = into[None, :] < out[:, None], into[None, :] > out[:, None]
        if linked[earlier].any() and not linked[later].any():
            yield axis, out, into


@rule("recurrent-path-missing", "indexing", 12)
def recurrent_path(view: View) -> Iterator[Prediction]:
    """What comes back from the next time step is not added, not masked, or starts from the wrong state.

    How it comes about: the loop over time forgets ``dh = g[t] + dh_next``.

    Formula: the last step's gradient is right, those before lack what flows back from later steps.

    Hidden when: the sequence has one step.

    Mended: carry the gradient of the state from step to step.

    Wrong::

        dz = g[t] * (1 - h[t] ** 2)

    Right::

        dz = (g[t] + dh_next) * (1 - h[t] ** 2)
    """
    message = "what flows back from later steps is missing: only the same step's upstream arrived"
    remedy = "add the gradient that comes back from the next step to the upstream of this one"
    for axis, out, into in steps(view):
        own = np.where(out[:, None] == into[None, :], view.J, 0.0)
        yield Prediction(message, remedy, jacobian=own, usual=True, evidence={"time axis": axis})
        near = np.where(out[:, None] - into[None, :] <= 1, view.J, 0.0)
        yield Prediction("only what flows back over one step arrived", remedy, jacobian=near, rank=2)
        if view.A is None or view.offset.any() or not np.all(np.isfinite(view.A)):
            continue
        same = out[:, None] == into[None, :]
        inside = distance(np.where(same, view.A, 0.0), own)
        past = (into[None, :] < out[:, None]) & (np.abs(view.J) > view.zero)
        lost = past & (np.abs(view.A - view.J) > 100 * view.zero)
        many = 2 * lost.sum() >= past.sum()
        if many and inside < view.tolerance and not np.any(np.abs(view.A[out[:, None] < into[None, :]]) > view.zero):
            text = "every step's own contribution is right, what flows back from later steps is not"
            yield Prediction(text, remedy, explained=inside, rank=25)
    yield from _last_step(view, remedy)
    yield from _parameters(view, message, remedy)


def _last_step(view: View, remedy: str) -> Iterator[Prediction]:
    """A layer whose output is the last state: only the last step's input received a gradient."""
    if view.x.ndim < 2 or view.alike:
        return
    place = np.unravel_index(np.arange(view.N), view.x.shape)
    for axis in range(2):
        last = place[axis] == view.x.shape[axis] - 1
        if view.x.shape[axis] > 1 and np.any(np.abs(view.J[:, ~last]) > view.zero):
            text = f"only the last step along axis {axis} of {view.name} received a gradient"
            yield Prediction(text, remedy, jacobian=np.where(last[None, :], view.J, 0.0), rank=8)
            yield from _earlier_steps(view, axis, last, remedy)


def _earlier_steps(view: View, axis: int, last: np.ndarray, remedy: str) -> Iterator[Prediction]:
    """The last step is right and all earlier ones are not, in a layer where the last step depends on them."""
    if view.A is None or view.offset.any() or not np.all(np.isfinite(view.A)) or view.x.shape[axis] < 3:
        return
    live = np.abs(view.J).max(axis=0) > 100 * view.zero
    wrong = np.abs(view.A - view.J).max(axis=0) > max(100 * view.zero, view.slack * np.abs(view.J).max())
    if not np.array_equal(wrong & live, live & ~last) or not live[last].all() or live[~last].mean() < 0.75:
        return
    moved = np.where(last.reshape(view.x.shape), view.x, 0.7 * view.x)
    other = view.measure({view.name: moved})
    if other is None or other.shape != view.J.shape or distance(other[:, last], view.J[:, last]) < 1e-3:
        return
    text = f"the last step along axis {axis} of {view.name} is right, all earlier ones are not"
    yield Prediction(text, remedy, explained=0.0, rank=50, evidence={"time axis": axis})


def _parameters(view: View, message: str, remedy: str) -> Iterator[Prediction]:
    """Parameters of a recurrent layer: take what reached them through the state out of the Jacobian, step by step.

    With C_t the derivative of the state with respect to the state before, J_t = D_t + C_t J_{t-1}. The same holds for
    the sequence, J_t[s] = C_t J_{t-1}[s] for every earlier step s, and that determines C_t.
    """
    for name in view.truth.wrt:
        if name == view.name:
            continue
        other = View(view.truth, None, name)
        for _, out, into in steps(other):
            matrix = view.J.copy()
            count = int(out.max()) + 1
            for step in range(1, count):
                now, before = out == step, out == step - 1
                past = into < step
                known, target = other.J[np.ix_(before, past)], other.J[np.ix_(now, past)]
                if np.linalg.matrix_rank(known, tol=max(1e-7, view.noise * 100)) < before.sum():
                    return
                carry: Floats = np.linalg.lstsq(known.T, target.T, rcond=None)[0].T
                if distance(carry @ known, target) > max(1e-5, view.slack):
                    return
                matrix[now] = view.J[now] - carry @ view.J[before]
            if distance(matrix, view.J) > 1e-4:
                yield Prediction(message, remedy, jacobian=matrix)
