"""The quotient rule."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.fields import columns, match, rows
from gradcheck.rules.paths import splits
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.ratios import by_column, by_row, slack_by_column, slack_by_row
from gradcheck.rules.registry import rule
from gradcheck.rules.terms import linear_fractional, quotients
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
    yield from _not_squared(view, remedy)


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
