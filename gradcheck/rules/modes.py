"""Options that the backward reads otherwise than the forward: epsilon, and training or evaluation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.labels import shifts_only
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


def epsilons(view: View) -> Iterator[tuple[str, float]]:
    """Yield small options that matter less the larger the inputs are."""
    for option, value in view.truth.options.items():
        if not isinstance(value, float) or not 0.0 < value <= 0.1:
            continue
        effect = _effect(view, option, 1.0)
        if effect is None or shifts_only(view, option, value):
            continue
        far = _effect(view, option, 30.0)
        if far is None:
            far = _effect(view, option, 3.0)
        if far is not None and effect > max(1e-8, 10 * view.noise) and (far < 0.5 * effect or effect < 1e-5):
            yield option, value


def _effect(view: View, option: str, scale: float) -> float | None:
    """How much an option matters, relative, with the input scaled."""
    point = {view.name: view.x * scale}
    with_it, without = view.measure(point), view.measure(point, {option: 0.0})
    if with_it is None or without is None or with_it.shape != without.shape:
        return None
    return distance(with_it, without)


@rule("epsilon-mismatch", "normalisation", 12)
def epsilon_mismatch(view: View) -> Iterator[Prediction]:
    """Epsilon stands elsewhere in the backward than in the forward, or only in one of them.

    How it comes about: 1 / sqrt(var + eps) in the forward, 1 / (sqrt(var) + eps) in the backward; log(p + eps) in the
    loss, 1 / p in the gradient.

    Formula: a = (1 + O(eps / scale)) J^T g.

    Hidden when: the inputs are much larger than eps, as they are in nearly every test.

    Mended: use the same expression in both, or save it in the forward.

    Wrong::

        r = 1 / (np.sqrt(var) + eps)                  # forward: 1 / np.sqrt(var + eps)

    Right::

        r = 1 / np.sqrt(var + eps)
    """
    remedy = "use the forward's expression with epsilon, or save it in the forward"
    for option, value in epsilons(view):
        for other, words in ((0.0, "left out"), (value * value, "squared"), (float(np.sqrt(value)), "under a root")):
            matrix = view.measure(options={option: other})
            if matrix is not None and matrix.shape == view.J.shape:
                text = f"{option} was {words} in the backward"
                yield Prediction(text, remedy, jacobian=matrix, usual=other == 0.0)
        yield from _per_block(view, option, value, remedy)
        value_tiny = _error_without(view, option, value)
        if value_tiny is not None and value_tiny < 0.02 * view.wrongness:
            yield Prediction(
                f"the backward is right when {option} is tiny: it stands in another place there",
                remedy,
                explained=min(value_tiny, view.tolerance) if value_tiny < 1e-4 else float("inf"),
                rank=4,
                evidence={f"error without {option}": value_tiny},
            )
    yield from _hidden_epsilon(view, remedy)


def _per_block(view: View, option: str, value: float, remedy: str) -> Iterator[Prediction]:
    """Every slice as if it had an epsilon of its own: inside the root for outside, or the reverse."""
    if not view.coupled or len(view.blocks) > 8:
        return
    x = view.x.ravel()
    for measure in (np.std, lambda v: np.sqrt(np.mean(v * v)), np.linalg.norm):
        for inward in (True, False):
            matrix = view.J.copy()
            for into, columns in view.blocks:
                sigma = float(measure(x[columns]))
                own = 2 * value * sigma + value * value if inward else float(np.sqrt(sigma * sigma + value)) - sigma
                moved = view.measure(options={option: own})
                if moved is None or moved.shape != view.J.shape:
                    return
                matrix[np.ix_(into, columns)] = moved[np.ix_(into, columns)]
            yield Prediction(
                f"{option} stands {'outside' if inward else 'inside'} the root in the backward, unlike in the forward",
                remedy,
                jacobian=matrix,
            )


def _error_without(view: View, option: str, value: float) -> float | None:
    """How wrong the backward is with a tiny epsilon."""
    return error_at(view, {}, {option: value * 1e-6})


def error_at(view: View, inputs: dict[str, Floats], options: dict[str, float]) -> float | None:
    """Return how wrong the gradient is with some inputs and options replaced, relative; ``None`` where unknown."""
    if view.account is None:
        return None
    answer = view.account.elsewhere(inputs, options, None)
    true = view.measure(inputs, options)
    if answer is None or true is None:
        return None
    seen = answer[0].get(view.name)
    g = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in answer[1]])
    if seen is None or np.size(seen) != true.shape[1] or len(g) != len(true):
        return None
    return distance(np.asarray(seen, dtype=np.float64).ravel(), true.T @ g)


def _hidden_epsilon(view: View, remedy: str) -> Iterator[Prediction]:
    """No option to vary: the error fades as the inputs grow, in a layer whose output their scale hardly changes."""
    if view.account is None or not view.coupled or view.wrongness > 0.5:
        return
    along = float(np.linalg.norm(view.J @ view.x.ravel()))
    if along > 0.3 * float(np.linalg.norm(np.abs(view.J) @ np.abs(view.x.ravel()))):
        return
    near = error_at(view, {view.name: 10.0 * view.x}, {})
    far = error_at(view, {view.name: 100.0 * view.x}, {})
    if near is not None and far is not None and near < 0.15 * view.wrongness and far < max(0.15 * near, 1e-7):
        yield Prediction(
            "the error fades as the inputs grow: a small constant in the forward stands elsewhere in the backward",
            remedy,
            explained=0.0,
            rank=20,
            evidence={"error at 10 x": near, "error at 100 x": far},
        )


@rule("train-eval-mode-mixup", "normalisation", 11)
def train_eval(view: View) -> Iterator[Prediction]:
    """The backward of the training mode is used in evaluation, or the reverse.

    How it comes about: the backward never asks for the mode.

    Formula: a = t less (or plus) what flows through the statistics of the batch.

    Hidden when: the upstream is orthogonal to what the statistics add.

    Mended: with running statistics the layer is elementwise; with batch statistics it is not.

    Wrong::

        return batch_norm_backward(g, ...)            # forward(training=False)

    Right::

        return g * gamma / np.sqrt(running_var + eps)
    """
    remedy = "let the backward ask for the mode, as the forward does"
    for option, value in view.truth.options.items():
        others: list[object] = []
        if isinstance(value, bool):
            others = [not value]
        elif isinstance(value, str) and value in ("train", "eval", "training", "test", "inference"):
            others = [word for word in ("train", "eval", "training", "test", "inference") if word != value]
        for other in others:
            matrix = view.measure(options={option: other})  # type: ignore[dict-item]
            if matrix is None or matrix.shape != view.J.shape:
                continue
            support = (np.abs(matrix) > view.zero).sum(), (np.abs(view.J) > view.zero).sum()
            if support[0] != support[1] and view.alike:
                text = f"the backward worked as if {option} were {other!r}"
                yield Prediction(text, remedy, jacobian=matrix, usual=True)
    if view.A is None or view.offset.any() or not view.alike or view.x.ndim < 2:
        return
    place = np.unravel_index(np.arange(view.N), view.x.shape)
    feature = place[1]
    same = feature[:, None] == feature[None, :]
    if view.elementwise:
        leak = view.A - np.diag(np.diag(view.A))
        if np.any(leak) and not np.any(leak[~same]):
            sums = np.abs(view.A.sum(axis=1)).max()
            if sums < view.slack * np.abs(view.A).max():
                text = "the backward couples the samples through statistics of the batch, the forward does not"
                yield Prediction(text, remedy, explained=0.0, rank=6)
            elif (off := _through_statistics(view, feature)) is not None:
                text = "the backward subtracts means over the batch, of 1 and of x, where the forward holds both fixed"
                yield Prediction(text, remedy, explained=off, rank=8)
    elif not np.any(view.A - np.diag(np.diag(view.A))):
        yield from _running(view, remedy)


def _through_statistics(view: View, feature: np.ndarray) -> float | None:
    """Return how far off the error is a sum of means over the batch: along 1 and along x, for every feature.

    That is the rule of training, applied with running statistics to a layer that is affine in every feature.
    """
    if view.A is None:
        return None
    error, x = view.A - view.J, view.x.ravel()
    rest = np.zeros_like(error)
    for number in range(int(feature.max()) + 1):
        own = np.flatnonzero(feature == number)
        block = error[np.ix_(own, own)]
        basis = np.stack([np.ones(len(own)), x[own]], axis=1)
        off = ~np.eye(len(own), dtype=bool)
        if len(own) < 4 or np.ptp(view.diagonal[own]) > 10 * view.slack * np.abs(view.diagonal[own]).max():
            return None
        if np.mean(np.abs(block[off]) > 100 * view.zero) < 0.75 or np.ptp(x[own]) == 0:
            return None
        # 1 / sigma may be another one as well: that is a multiple of the identity
        past = np.eye(len(own)) - basis @ np.linalg.pinv(basis)
        block = block - np.trace(past @ block) / np.trace(past) * np.eye(len(own))
        inside = (np.eye(len(own)) - past) @ block @ (np.eye(len(own)) - past)
        rest[np.ix_(own, own)] = block - inside
    return float(np.linalg.norm(rest) / np.linalg.norm(error))


def _running(view: View, remedy: str) -> Iterator[Prediction]:
    """The backward is elementwise with the running variance, though the forward used the batch's."""
    seen = np.diag(view.A if view.A is not None else view.J)
    vectors = dict(_vectors(view))
    for name, variance in vectors.items():
        if np.any(variance <= 0) or np.ptp(variance) == 0:
            continue
        for scale in (np.ones(view.N), *(other for key, other in vectors.items() if key != name)):
            ratio = seen * np.sqrt(variance) / np.where(scale == 0, np.nan, scale)
            middle = float(np.median(ratio))
            # epsilon is not known here, so that the ratio is not exact
            if np.isfinite(middle) and np.abs(ratio - middle).max() < 1e-3 * abs(middle) and abs(middle - 1) < 1e-2:
                text = f"the backward divides by the root of {name}, the rule of evaluation"
                yield Prediction(text, remedy, explained=0.0, rank=-1)


def _vectors(view: View) -> Iterator[tuple[str, Floats]]:
    """Yield the other inputs with one number per feature, spread over the input."""
    for name, value in view.truth.inputs.items():
        array = np.asarray(value, dtype=np.float64) if np.asarray(value).dtype.kind == "f" else np.zeros(0)
        if name == view.name or array.size < 2:
            continue
        for shape in (array.shape, (1, *array.shape, *(1,) * (view.x.ndim - 2))):
            try:
                yield name, np.broadcast_to(array.reshape(shape), view.x.shape).ravel()
            except ValueError:
                continue
            break
