"""The registry: one entry per bug, with the page that ``gradcheck explain`` prints."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.errors import UsageError

if TYPE_CHECKING:
    from gradcheck.rules.predictions import Prediction
    from gradcheck.rules.view import View

    Predict = Callable[[View], Iterable[Prediction]]

FAMILIES: dict[str, str] = {
    "jacobian": "Jacobian structure",
    "upstream": "How the upstream is used",
    "point": "Wrong point, wrong function",
    "chain": "Chain, product and quotient rule",
    "sign": "Sign",
    "scale": "Scale and reduction",
    "broadcast": "Broadcasting",
    "axis": "Axis, shape, permutation, geometry",
    "normalisation": "Normalisation layers",
    "indexing": "Accumulation and indexing",
    "masks": "Masks, branches, ties",
    "numerics": "Numerics and dtype",
    "state": "State and side effects",
    "contract": "Contract of a layer",
}


@dataclass(frozen=True)
class Rule:
    """The knowledge of one bug.

    Attributes
    ----------
    id
        Name of the bug, with hyphens.
    family
        Key of :data:`FAMILIES`.
    rank
        Simplicity: of several rules that explain the same numbers the lowest rank is named.
    page
        What it is, how it comes about, formula, what hides it, how it is mended, an example.
    predict
        From a view of one input to what a backward with this bug would return; ``None`` for bugs that only show over
        several calls and are found by the contract checks.
    """

    id: str
    family: str
    rank: int
    page: str
    predict: Predict | None = None

    @property
    def summary(self) -> str:
        """The first sentence of the page."""
        return " ".join(self.page.split("\n\n", 1)[0].split())


_rules: dict[str, Rule] = {}


def _add(entry: Rule) -> None:
    if entry.id in _rules:
        raise ValueError(f"rule {entry.id} is registered twice")
    if entry.family not in FAMILIES:
        raise ValueError(f"rule {entry.id} names an unknown family {entry.family}")
    _rules[entry.id] = entry


def rule(id: str, family: str, rank: int) -> Callable[[Predict], Predict]:  # noqa: A002
    """Register a function that predicts; its docstring becomes the page."""

    def register(predict: Predict) -> Predict:
        _add(Rule(id, family, rank, inspect.cleandoc(predict.__doc__ or ""), predict))
        return predict

    return register


def declare(id: str, family: str, page: str, rank: int = 90) -> None:  # noqa: A002
    """Register the page of a bug that is found by the contract checks, over several calls."""
    _add(Rule(id, family, rank, inspect.cleandoc(page)))


def predicted(entry: Rule, view: View) -> Iterator[Prediction]:
    """Yield what a rule predicts for a view; a rule that does not get along with an odd shape yields no more.

    The verdict is in by then: a formula that breaks down on a shape its author did not think of must cost no more than
    its own name, never the report.
    """
    if entry.predict is None:
        return
    with suppress(ValueError, IndexError, KeyError, ArithmeticError, TypeError):
        yield from entry.predict(view)


def _load() -> None:
    from gradcheck.rules import families  # noqa: F401 - the families register themselves on import


def rules() -> dict[str, Rule]:
    """All rules by id, in the order of the families."""
    _load()
    order = list(FAMILIES)
    return {key: _rules[key] for key in sorted(_rules, key=lambda name: (order.index(_rules[name].family), name))}


def find(id: str) -> Rule:  # noqa: A002
    """Look one rule up.

    Raises
    ------
    UsageError
        If there is none of that name; near names are offered.
    """
    import difflib

    known = rules()
    name = id.replace("_", "-").lower()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "gradcheck explain lists all rules"
    raise UsageError(f"there is no rule {id!r}", hint)


def pages() -> dict[str, list[Rule]]:
    """Rules by family title, for ``gradcheck explain``."""
    listing: dict[str, list[Rule]] = {title: [] for title in FAMILIES.values()}
    for entry in rules().values():
        listing[FAMILIES[entry.family]].append(entry)
    return {title: entries for title, entries in listing.items() if entries}


def markdown() -> str:
    """Return all rules as one Markdown table."""
    lines = ["| rule | family | what it is |", "| --- | --- | --- |"]
    for title, entries in pages().items():
        lines += [f"| `{entry.id}` | {title} | {entry.summary} |" for entry in entries]
    return "\n".join(lines) + "\n"
