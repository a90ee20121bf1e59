"""Arguments that are no single array: dicts and lists of arrays, whose names are paths such as ``params.W``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tree:
    """The structure of one argument, as an example of it has shown.

    Attributes
    ----------
    names
        Names of its arrays, in order: ``params.W``, ``params.layers.0.b``.
    build
        Puts arrays, or tensors, in that order together again.
    examples
        The arrays of the example.
    """

    names: tuple[str, ...]
    build: Callable[[Sequence[object]], object]
    examples: tuple[object, ...] = ()


def roots_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments that some names belong to: what is before the first dot."""
    return tuple(dict.fromkeys(name.partition(".")[0] for name in names))


def names_below(root: str, names: Sequence[str], trees: Mapping[str, Tree]) -> tuple[str, ...]:
    """Return the names of the arrays of one argument."""
    if root in trees:
        return trees[root].names
    return tuple(name for name in names if name.partition(".")[0] == root) or (root,)


def assemble(
    values: Mapping[str, object], trees: Mapping[str, Tree], defaults: Mapping[str, object]
) -> dict[str, object]:
    """Return one value per argument: arrays by their names, others put together.

    Where no example has shown a structure, names below a dot become the keys of a dict, and numbers, counted from 0,
    the places of a list.

    Parameters
    ----------
    values
        By name.
    trees
        Structures by argument.
    defaults
        Values for names of `trees` that are not among `values`.
    """
    plain = {name: value for name, value in values.items() if name.partition(".")[0] not in trees}
    whole = {
        root: tree.build([values[name] if name in values else defaults[name] for name in tree.names])
        for root, tree in trees.items()
        if any(name in values or name in defaults for name in tree.names)
    }
    nested: dict[str, object] = {}
    for name, value in plain.items():
        *path, last = name.split(".")
        below = nested
        for part in path:
            inner = below.setdefault(part, {})
            below = inner if isinstance(inner, dict) else below
        below[last] = value
    return {**{name: _with_lists(value) for name, value in nested.items()}, **whole}


def _with_lists(value: object) -> object:
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(item) for key, item in value.items()}
    if list(inner) and set(inner) == {str(number) for number in range(len(inner))}:
        return [inner[str(number)] for number in range(len(inner))]
    return inner
