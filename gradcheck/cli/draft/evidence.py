"""What the text of a forward says of its inputs one by one: how many axes, labels or numbers, of which range."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from gradcheck.cli.draft.axes import einsum, index_of, last, permutation, shape_of
from gradcheck.cli.draft.scan import Function
from gradcheck.layers.vocabulary import AXES, normalise

DEEPEST = 5
MASKS = frozenset(["mask", "masks", "dropmask", "dropoutmask", "keep", "keepmask"])

_VECTORS = ("convolve", "correlate")
_DOMAINS = {"log": "positive", "log2": "positive", "log10": "positive", "sqrt": "positive", "log1p": "positive"}
_LOGARITHMS = ("log", "log2", "log_softmax", "logsumexp")


class Evidence:
    """What is known of the inputs of a layer.

    Attributes
    ----------
    ranks
        Input -> number of its axes.
    indices
        Inputs that index others.
    tables
        What is looked up -> the index.
    picks
        Whether entries are picked out by rows and labels: ``p[np.arange(n), y]``.
    domains
        Input -> the draw that its range asks for.
    logarithm
        Whether a logarithm is taken anywhere.
    """

    def __init__(self, names: Sequence[str], bodies: Sequence[Function]) -> None:
        self.names = names
        self.ranks: dict[str, int] = {}
        self.indices: dict[str, None] = {}
        self.tables: dict[str, str] = {}
        self.picks = False
        self.domains: dict[str, str] = {}
        self.logarithm = False
        for body in bodies:
            for node in ast.walk(body):
                self._look(node)

    def _look(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and shape_of(node.value):
            self._at_least(shape_of(node.value), len(node.targets[0].elts), exactly=True)
        elif isinstance(node, ast.Subscript):
            self._look_at_subscript(node)
        elif isinstance(node, ast.Call):
            self._look_at_call(node)
            self._look_at_domain(node)

    def _look_at_call(self, node: ast.Call) -> None:
        for name, letters in [*einsum(node), *permutation(node)]:
            self._at_least(name, len(letters), exactly=True)
        names = [last(each) for each in node.args]
        if isinstance(node.func, ast.Attribute):
            names.append(last(node.func.value))
        for name in names if last(node.func) in _VECTORS else ():
            self._at_least(name, 1, exactly=True)
        for keyword in node.keywords:
            axes = [each.value for each in ast.walk(keyword.value) if isinstance(each, ast.Constant)]
            deepest = max((each for each in axes if isinstance(each, int)), default=-1)
            for name in names if keyword.arg in AXES else ():
                self._at_least(name, deepest + 1)

    def _look_at_subscript(self, node: ast.Subscript) -> None:
        owner = shape_of(node.value)
        if owner and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            self._at_least(owner, node.slice.value + 1 if node.slice.value >= 0 else -node.slice.value)
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            new = [item for item in items if isinstance(item, ast.Constant) and item.value in (None, Ellipsis)]
            self._at_least(node.value.id, len(items) - len(new))
        self.picks |= len(items) > 1 and any(
            isinstance(each, ast.Call) and last(each.func) == "arange" for each in items
        )
        for item in items:
            name = index_of(item)
            if name in self.names and normalise(name) not in MASKS and not owner:
                self.indices.setdefault(name, None)
                if len(items) == 1:
                    self.tables[last(node.value)] = name

    def _look_at_domain(self, node: ast.Call) -> None:
        function = last(node.func)
        self.logarithm |= function in _LOGARITHMS
        if function not in _DOMAINS or len(node.args) != 1:
            return
        argument = node.args[0]
        while isinstance(argument, ast.Subscript):  # of p[np.arange(n), y]
            argument = argument.value
        names = {each.id for each in ast.walk(argument) if isinstance(each, ast.Name)} & set(self.names)
        simple = not any(isinstance(each, (ast.Call, ast.Attribute)) for each in ast.walk(argument))
        if len(names) != 1 or not simple:
            return
        (name,) = names
        if isinstance(argument, ast.BinOp) and isinstance(argument.op, ast.Sub):
            self.domains[name] = "uniform"  # the logarithm of 1 - p
        else:
            self.domains.setdefault(name, _DOMAINS[function])

    def _at_least(self, name: str, rank: int, *, exactly: bool = False) -> None:
        if name in self.names and rank <= DEEPEST and (exactly or rank > 1):
            self.ranks[name] = rank if exactly else max(rank, self.ranks.get(name, 2))
