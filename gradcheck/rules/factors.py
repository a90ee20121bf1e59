"""Which named number a global ratio is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from gradcheck.rules.quantities import Number, Quantity, Situation, counts, here, options, sizes
from gradcheck.rules.view import View


@dataclass(frozen=True)
class Factor:
    """A named number that a ratio can be: ``kind`` decides which bug it means, ``law`` gives it in other situations."""

    label: str
    kind: str
    law: Number


def _of(number: Number, form: Callable[[float], float]) -> Number:
    def at(situation: Situation) -> float:
        try:
            return form(number(situation))
        except (ZeroDivisionError, ValueError, OverflowError):
            return float("nan")

    return at


CONSTANTS = {
    "sqrt(2)": math.sqrt(2.0),
    "sqrt(pi)": math.sqrt(math.pi),
    "sqrt(2 pi)": math.sqrt(2.0 * math.pi),
    "sqrt(2/pi)": math.sqrt(2.0 / math.pi),
    "2/sqrt(pi)": 2.0 / math.sqrt(math.pi),
    "pi": math.pi,
    "2 pi": 2.0 * math.pi,
    "ln 2": math.log(2.0),
    "ln 10": math.log(10.0),
    "180/pi": 180.0 / math.pi,
}

OPTION_FORMS: dict[str, Callable[[float], float]] = {
    "{}": lambda v: v,
    "1/{}": lambda v: 1.0 / v,
    "(1 - {})": lambda v: 1.0 - v,
    "1/(1 - {})": lambda v: 1.0 / (1.0 - v),
    "{}^2": lambda v: v * v,
    "1/{}^2": lambda v: 1.0 / (v * v),
    "sqrt({})": math.sqrt,
    "1/sqrt({})": lambda v: 1.0 / math.sqrt(v),
    "2 {}": lambda v: 2.0 * v,
    "1/(2 {})": lambda v: 0.5 / v,
    "(1 + {})": lambda v: 1.0 + v,
    "1/(1 + {})": lambda v: 1.0 / (1.0 + v),
    "ln {}": math.log,
    "1/ln {}": lambda v: 1.0 / math.log(v),
}


def factors(view: View) -> Iterator[Factor]:
    """Yield every named number that a ratio can be, the plain ones first."""
    lengths = list(sizes(view))
    for quantity in lengths:
        batch = quantity.kind in ("samples", "size")
        yield Factor(quantity.label, "samples" if batch else "count", quantity.at)
        yield Factor(f"1 / {quantity.label}", "1/samples" if batch else "1/count", _of(quantity.at, lambda v: 1.0 / v))
    for quantity in lengths:
        yield Factor(f"(n - 1)/n, n {quantity.label}", "ddof", _of(quantity.at, lambda v: (v - 1.0) / v))
        yield Factor(f"n/(n - 1), n {quantity.label}", "ddof", _of(quantity.at, lambda v: v / (v - 1.0)))
    for quantity in options(view):
        # a 3.0 is an exponent or a temperature, a 3 may be a window
        real = isinstance(view.truth.options.get(quantity.label), float)
        whole = not real and float(quantity.at(here(view))).is_integer() and quantity.at(here(view)) > 1
        for form, function in OPTION_FORMS.items():
            kind = "window" if whole and form in ("{}", "1/{}") else "option"
            yield Factor(form.format(quantity.label), kind, _of(quantity.at, function))
    for quantity in lengths:
        yield Factor(f"the root of {quantity.label}", "root", _of(quantity.at, math.sqrt))
        yield Factor(f"1 / the root of {quantity.label}", "root", _of(quantity.at, lambda v: 1.0 / math.sqrt(v)))
    for label, value in CONSTANTS.items():
        yield Factor(label, "constant", lambda _, v=value: v)  # type: ignore[misc]
        yield Factor(f"1/({label})", "constant", lambda _, v=value: 1.0 / v)  # type: ignore[misc]
    yield from _quotients(view, lengths)


def _quotients(view: View, lengths: list[Quantity]) -> Iterator[Factor]:
    counted = list(counts(view))
    whole = [q for q in options(view) if float(q.at(here(view))).is_integer() and abs(q.at(here(view))) > 1]
    for quantity in counted:
        yield Factor(quantity.label, "count", quantity.at)
        yield Factor(f"1 / {quantity.label}", "count", _of(quantity.at, lambda v: 1.0 / v))
    for top, bottom in permutations(counted + lengths + whole, 2):
        yield Factor(
            f"{top.label} / {bottom.label}",
            "quotient",
            lambda s, a=top.at, b=bottom.at: a(s) / b(s) if b(s) else float("nan"),  # type: ignore[misc]
        )


def named(view: View, value: float) -> list[Factor]:
    """All named numbers that equal a ratio, at most one per kind and label."""
    situation = here(view)
    slack = max(view.slack, view.tolerance) * abs(value)
    found = [factor for factor in factors(view) if abs(factor.law(situation) - value) <= slack]
    trivial = abs(value - 1.0) <= slack
    return [] if trivial else list({(factor.kind, factor.label): factor for factor in found}.values())


def plain(value: float) -> str:
    """Write a ratio: as 2, 1/4, 0.3."""
    for top in (1, 2, 3):
        if value != 0 and abs(top / value - round(top / value)) < 1e-6 and abs(round(top / value)) > 1:
            return f"{top}/{round(top / value)}"
    return f"{np.round(value, 9):.6g}"
