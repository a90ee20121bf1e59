"""The quotient rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.rules.fields import columns, match, rows
from gradcheck.rules.inner import columnwise
from gradcheck.rules.paths import splits
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.ratios import by_column, by_row, constant, slack_by_column, slack_by_row
from gradcheck.rules.registry import rule
from gradcheck.rules.terms import alone, growth, linear_fractional, quotients
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@rule("quotient-rule-error", "chain", 18)
def quotient_rule(view: View) -> Iterator[Prediction]:
    """The quotient rule is written with + instead of -, or its denominator is not squared, or a term is missing.

    How it comes about: it is written from memory.

    Formula: a = (u' v + u v') / v^2 g, or (u' v - u v') / v g, where the truth is (u' v - u v') / v^2 g.

    Hidden when: v = 1 (the square), or u = 0 (the sign).

    Mended: (u / v)' = (u' v - u v') / v^2.

    Wrong::

        db = -g * a / b

    Right::

        db = -g * a / b ** 2
    """
    remedy = "(u / v)' = (u' v - u v') / v^2"
    for top, bottom, u, du, v, dv in quotients(view):
        name = f"{top.label} / ({bottom.label})"
        forms = {
            "with + instead of -": (du * v + u * dv) / v**2,
            "with a denominator that is not squared": (du * v - u * dv) / v,
            "with one denominator that is not squared": du / v - u * dv / v,
            "without its denominator": du * v - u * dv,
            "as u'/v'": du / np.where(dv == 0, np.nan, dv),
            "without its second term": du / v,
        }
        for words, slope in forms.items():
            if np.all(np.isfinite(slope)) and np.any(slope):
                rank = -2 if words != "without its second term" else 4
                yield Prediction(
                    f"the quotient rule of {name} was written {words}", remedy, jacobian=np.diag(slope), rank=rank
                )
    parts = linear_fractional(view)
    if parts is not None and np.any(parts[0]):
        top_part, bottom_part = parts
        yield Prediction(
            "the term of the denominator has the wrong sign",
            remedy,
            jacobian=top_part - bottom_part,
            rank=-6,
            usual=True,
        )
        yield Prediction("the term of the denominator is missing", remedy, jacobian=top_part, rank=2)
        yield Prediction("the term of the numerator is missing", remedy, jacobian=bottom_part, rank=2)
    for split in splits(view):
        if any(path.kind in ("sum", "projection") for path in split.paths) and len(split.paths) == 2:
            direct, term = split.paths
            yield Prediction(
                "the term of the denominator has the wrong sign", remedy, jacobian=direct.matrix - term.matrix, rank=1
            )
    yield from _plus_a_number(view, remedy)
    if denominator_power(view) == 1.0:
        text = "the ratio to the truth grows as the denominator does: the denominator is not squared"
        yield Prediction(text, remedy, explained=0.0, rank=1)
    yield from _not_squared(view, remedy)


def _plus_a_number(view: View, remedy: str) -> Iterator[Prediction]:
    """A quotient that a number is added to, as in 1 - u / v, of one sample or of each: (J + y q) - k q, k the number.

    There p = J + y q is what moves the numerator of y itself; with k the number, p - k q is what moves that of u / v.
    """
    q = growth(view)
    if view.account is None or q is None:
        return
    top = view.J + view.y[:, None] * q
    for own in _shares(view):
        for number in (0.0, 1.0, -1.0):
            quotient = own(number)
            if np.all(np.abs(quotient - view.y[:, None]) < 1e-12):
                continue  # nothing is added: those forms were tried
            still = top - (view.y[:, None] - quotient) * q
            yield Prediction("the term of the denominator is missing", remedy, jacobian=still, rank=3)
            turned = top - (view.y[:, None] - 2.0 * quotient) * q
            yield Prediction("the term of the denominator has the wrong sign", remedy, jacobian=turned, rank=2)
            yield Prediction("the term of the numerator is missing", remedy, jacobian=-quotient * q, rank=3)


def _shares(view: View) -> Iterator[Callable[[float], Floats]]:
    """Yield u / v as a function of the number that is added to it: of every output, or of every sample of a loss."""
    yield lambda number: np.broadcast_to(view.y[:, None] - number, view.J.shape)
    if view.M != 1 or view.x.ndim < 2 or len(view.x) < 2:
        return
    outputs = [view.truth.forward(alone(view, sample), {}) for sample in range(len(view.x))]
    if any(part is None or len(part) != 1 or np.size(part[0]) != 1 for part in outputs):
        return
    y = np.array([float(np.ravel(part[0])[0]) for part in outputs if part is not None])
    for share in (1.0 / len(y), 1.0):
        if abs(share * y.sum() - view.y[0]) < 1e-9 * np.abs(y).sum():
            spread = np.repeat(y, view.N // len(y))[None, :]
            yield lambda number, s=share, v=spread: s * (v - number)  # type: ignore[misc]


def denominator_power(view: View) -> float | None:
    """Return k where the ratio of what was returned to the truth grows as the k-th power of the denominator does.

    How the denominator of an output grows with an entry is known from the forward; how the ratio does, from asking the
    backward at moved inputs. Both must agree for several entries.
    """
    if "denominator power" not in view.memory:
        view.memory["denominator power"] = _denominator_power(view)
    return view.memory["denominator power"]  # type: ignore[return-value]


def _denominator_power(view: View) -> float | None:
    if view.account is None or view.A is None or view.N < 3 or view.offset.any():
        return None
    whole, by_output, by_entry = constant(view), by_row(view), by_column(view)
    if whole is None and by_output is None and by_entry is None:
        return None
    q = growth(view)
    if q is None or view.elementwise:
        return None
    powers: list[float] = []
    for column in np.argsort(-np.abs(q).max(axis=0))[:3]:
        row = int(np.argmax(np.abs(q[:, column])))
        share = float(q[row, column])
        x = view.x.copy()
        x.flat[column] += 0.1 / share if abs(share) > 0.1 else 1.0
        g = np.zeros(view.M)
        g[row] = 1.0
        true = view.measure({view.name: x})
        answer = view.account.elsewhere({view.name: x}, {}, view.split(g))
        seen = None if answer is None else view.flat(answer[0].get(view.name))
        if seen is None or true is None or true.shape != view.J.shape or not np.all(np.isfinite(seen)):
            return None
        # the entries of one sample share a denominator, those of other samples of a loss do not
        near = np.abs(q[row]) > 1e-9
        if x.ndim > 1:
            near &= np.arange(view.N) // (view.N // len(x)) == column // (view.N // len(x))
        before, after = _ratio(view.A[row][near], view.J[row][near]), _ratio(seen[near], true[row][near])
        grown = 1.0 + share * float(x.flat[column] - view.x.flat[column])
        if before is None or after is None or after / before <= 0 or grown <= 0 or abs(grown - 1) < 1e-2:
            return None
        powers.append(float(np.log(after / before) / np.log(grown)))
    whole_power = round(powers[0])
    exact = all(abs(power - whole_power) < 1e-5 for power in powers)
    return float(whole_power) if exact and whole_power in (1, 2) else None


def _ratio(seen: Floats, true: Floats) -> float | None:
    """Return c where one vector is c times another, of at least two entries that are not 0."""
    size = float(true @ true)
    if np.count_nonzero(true) < 2 or not size:
        return None
    factor = float(true @ seen) / size
    return factor if factor and distance(seen, factor * true) < 1e-6 else None


def _not_squared(view: View, remedy: str) -> Iterator[Prediction]:
    """The ratio to the truth is the denominator itself, which the output is inversely proportional to."""
    ratio = by_column(view)
    x = view.x.ravel()
    if ratio is not None and view.A is not None:
        inverse = distance(view.J @ x, -view.y) < 10 * view.slack
        rebuilt = view.J * np.where(np.isfinite(ratio), ratio, 0.0)
        for found in match(ratio, columns(view), slack=slack_by_column(view)):
            own = found.field.kind == "self" and inverse
            if (
                (own or found.field.kind == "sum")
                and found.power == 1.0
                and abs(found.constant - 1) < max(1e-4, 10 * view.slack)
            ):
                yield Prediction(
                    f"the ratio to the truth is {found.field.label}: the denominator is not squared",
                    remedy,
                    explained=distance(view.A, rebuilt),
                    usual=own,
                )
        if inverse and view.account is not None:
            return
    if view.account is None and distance(view.J @ x, -view.y) < 10 * view.slack and np.any(view.y):
        yield Prediction("the denominator is not squared", remedy, jacobian=view.J * x[None, :], usual=True)
    by_output = by_row(view)
    if by_output is not None and view.A is not None and view.M >= 3:
        for found in match(by_output, rows(view), slack=slack_by_row(view)):
            if (
                found.field.kind == "sum"
                and found.power == 1.0
                and abs(found.constant - 1.0) < max(1e-4, 10 * view.slack)
            ):
                rebuilt = view.J * np.where(np.isfinite(by_output), by_output, 0.0)[:, None]
                yield Prediction(
                    f"the ratio to the truth is {found.field.label}: the denominator is not squared",
                    remedy,
                    explained=distance(view.A, rebuilt),
                )


@rule("operator-precedence", "chain", 22)
def operator_precedence(view: View) -> Iterator[Prediction]:
    """A denominator lost its parentheses: x / u * u was written where x / (u * u) was meant.

    How it comes about: products and quotients are evaluated from left to right.

    Formula: a = u^2 J^T g, with u a quantity of the forward, one per sample.

    Hidden when: u = 1.

    Mended: put the denominator in parentheses, or write u ** 2.

    Wrong::

        return g * (t * u - i) / u * u

    Right::

        return g * (t * u - i) / (u * u)
    """
    remedy = "put the whole denominator in parentheses"
    if denominator_power(view) == 2.0:
        text = "the ratio to the truth grows as the denominator squared: that was multiplied with, not divided by"
        yield Prediction(text, remedy, explained=0.0)
    for along, ratio in (("row", by_row(view)), ("column", by_column(view))):
        if ratio is None:
            continue
        fields = rows(view) if along == "row" else columns(view)
        slack = slack_by_row(view) if along == "row" else slack_by_column(view)
        for found in match(ratio, fields, slack=slack):
            if abs(found.power) == 2.0 and abs(found.constant - 1.0) < max(1e-4, 10 * view.slack):
                yield Prediction(
                    f"the ratio to the truth is the square of {found.field.label}",
                    remedy,
                    explained=columnwise(view) if along == "column" else 0.0,
                    evidence={"ratio": [float(np.nanmin(ratio)), float(np.nanmax(ratio))]},
                )
