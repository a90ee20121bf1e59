"""Axes of arrays that are not there yet: which lengths must be alike, in products, broadcasts and subscripts."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TypeAlias


class Dim:
    """The length of an axis; two that must be alike have the same root."""

    def __init__(self, name: str = "", size: int | None = None) -> None:
        self.parent: Dim | None = None
        self.name = name
        self.size = size

    def root(self) -> Dim:
        """Return the one that stands for all that are alike."""
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    def join(self, other: Dim) -> None:
        """Note that two lengths are alike."""
        a, b = self.root(), other.root()
        if a is not b:
            b.parent = a
            a.name = a.name or b.name
            a.size = a.size if a.size is not None else b.size


Dims: TypeAlias = "list[Dim]"


def product(left: Dims | None, right: Dims | None) -> Dims | None:
    """Return the axes of a matrix product, whose inner lengths are alike."""
    if not left or not right:
        return None
    left[-1].join(right[-2 if len(right) > 1 else 0])
    longer = left if len(left) >= len(right) else right
    for a, b in zip(left[-3::-1], right[-3::-1], strict=False):
        a.join(b)
    return [*longer[:-2], *([left[-2]] if len(left) > 1 else []), *([right[-1]] if len(right) > 1 else [])]


def broadcast(left: Dims | None, right: Dims | None) -> Dims | None:
    """Return the axes of a sum of two arrays, whose last lengths are alike; an axis of length 1 fits every other."""
    if not left or not right:
        return left or right
    for a, b in zip(reversed(left), reversed(right), strict=False):
        if 1 not in (a.root().size, b.root().size):
            a.join(b)
    return left if len(left) >= len(right) else right


def einsum(node: ast.Call) -> Iterator[tuple[str, str]]:
    """Yield the names of arrays in a call of ``einsum``, each with its letters."""
    pattern = node.args[0] if node.args else None
    if last(node.func) == "einsum" and isinstance(pattern, ast.Constant) and isinstance(pattern.value, str):
        terms = pattern.value.replace(" ", "").partition("->")[0].split(",")
        for term, argument in zip(terms, node.args[1:], strict=False):
            if term.isalpha():
                yield last(argument), term


def permutation(node: ast.Call) -> Iterator[tuple[str, Sequence[object]]]:
    """Yield the name of an array whose axes a call exchanges, with the axes."""
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    if last(node.func) in ("transpose", "permute") and arguments:
        method = isinstance(node.func, ast.Attribute) and last(node.func.value) not in ("np", "numpy", "torch")
        name = last(node.func.value) if method and isinstance(node.func, ast.Attribute) else last(arguments[0])
        axes = arguments if method else arguments[1:]
        if len(axes) == 1 and isinstance(axes[0], (ast.Tuple, ast.List)):
            axes = axes[0].elts
        if len(axes) > 1:
            yield name, axes


def index_of(node: ast.expr) -> str:
    """Return the name of an array that is itself an index, perhaps after a conversion: ``labels.astype(int)``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
        node = node.func.value
    return node.id if isinstance(node, ast.Name) else ""


def is_plain(node: ast.expr) -> bool:
    """Whether an index is a number or a slice."""
    return isinstance(node, ast.Slice) or (isinstance(node, ast.Constant) and isinstance(node.value, int))


def shape_of(node: ast.expr) -> str:
    """Return the name of the array whose ``shape`` an expression is, or an empty text."""
    named = isinstance(node, ast.Attribute) and node.attr == "shape" and isinstance(node.value, ast.Name)
    return node.value.id if named else ""  # type: ignore[attr-defined]


def last(node: ast.expr) -> str:
    """Return a name without what stands before its last dot; of other expressions an empty text."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def in_order(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and those inside of them, but not those of inner functions."""
    for node in body:
        yield node
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield from in_order(getattr(node, name, []))
