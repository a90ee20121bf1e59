"""Shapes and draws that a forward asks for, read from its text: a guess that makes a first case run."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gradcheck.cli.draft.axes import (
    Dim,
    Dims,
    broadcast,
    einsum,
    in_order,
    index_of,
    is_plain,
    last,
    product,
    shape_of,
)
from gradcheck.cli.draft.evidence import MASKS, Evidence
from gradcheck.cli.draft.scan import Function
from gradcheck.layers.vocabulary import normalise
from gradcheck.model import InputSpec

ROWS = frozenset(["b", "bias", "beta", "gamma", "scale", "shift", "g", "gain", "weights_1d"])
"""Words for a vector that is added to, or multiplied with, every row."""

TARGETS = frozenset(
    ["t", "y", "target", "targets", "label", "labels", "ytrue", "truth", "groundtruth", "onehot", "expected"]
)
SIZES = {0: (), 1: (5,), 2: (4, 5), 3: (2, 4, 5), 4: (2, 3, 6, 5), 5: (2, 3, 4, 6, 5)}
FURTHER = (3, 6, 2, 7, 8, 9, 11, 10, 12, 13)
KERNELS = frozenset(["hh", "ww", "kh", "kw", "k", "ks", "ky", "kx", "fh", "fw", "r", "s", "kernel", "kernelsize"])
KERNEL = 3

HOLDERS = ("data", "value", "val")
"""Attributes by which an object gives away the array that it holds."""

WEIGHTS = frozenset(["w", "weight", "weights", "kernel", "kernels", "filter", "filters"])

_PRODUCTS = ("dot", "matmul", "mm", "bmm")
_BROADCASTS = ("maximum", "minimum", "where", "add", "subtract", "multiply", "divide", "power", "hypot", "logaddexp")
_SQUARES = ("inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh", "solve", "trace")


@dataclass(slots=True)
class Guess:
    """How inputs may be drawn, and the lengths by the names that the text has for them."""

    inputs: dict[str, InputSpec]
    lengths: dict[str, int] = field(default_factory=dict)


def guess_inputs(names: Sequence[str], bodies: Sequence[Function], attributes: Mapping[str, ast.expr]) -> Guess:
    """Guess how to draw the inputs of a layer.

    Parameters
    ----------
    names
        Of the inputs.
    bodies
        The functions that they are arguments of, those that others call first.
    attributes
        What the constructor of the layer sets (``self.W``), and the file at its top: names of arguments, or calls
        that make arrays of some shape.
    """
    reader = _Reader(names, Evidence(names, bodies), attributes)
    for body in bodies:
        reader.read(body)
    return reader.settle()


class _Reader:
    """Collects what is known of the inputs, first their ranks, then which of their lengths are alike."""

    def __init__(self, names: Sequence[str], evidence: Evidence, attributes: Mapping[str, ast.expr]) -> None:
        self.names = list(names)
        self.evidence = evidence
        self.attributes = attributes
        self.named: dict[str, Dim] = {}
        self.returned: dict[str, Dims | None] = {}
        others = self.names[1:]
        if evidence.picks and not evidence.indices:
            evidence.indices.update(dict.fromkeys(name for name in others if normalise(name) in TARGETS))
        self.indices: dict[str, Dim | None] = dict.fromkeys(evidence.indices)
        self.rows = [name for name in others if normalise(name) in ROWS and not (name == "b" and "a" in names)]
        self.dims = {name: [Dim() for _ in range(self._rank(name))] for name in self.names}
        self._join_filters()

    def _rank(self, name: str) -> int:
        per_class = self.evidence.picks and name in self.evidence.tables and name != self.names[0]
        return self.evidence.ranks.get(name, 1 if name in self.indices or name in self.rows or per_class else 2)

    def _join_filters(self) -> None:
        """Let weights of four axes be filters x channels x height x width."""
        for name in self.names[1:]:
            axes, first = self.dims[name], self.dims[self.names[0]]
            if normalise(name) in WEIGHTS and len(axes) == len(first) == 4:
                axes[1].join(first[1])
                axes[2].name = axes[3].name = "kernel"
                for other in self.rows:
                    if len(self.dims[other]) == 1:
                        self.dims[other][0].join(axes[0])

    def read(self, body: Function) -> None:
        """Follow the text from line to line."""
        known: dict[str, Dims | None] = dict(self.dims)
        lines = [*in_order(body.body)]
        for node in lines * 2:  # what a loop carries round is known the second time
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self._assign(node.targets[0], node.value, known)
            elif isinstance(node, (ast.Return, ast.Expr, ast.AugAssign)) and node.value is not None:
                shape = self._shape(node.value, known)
                if isinstance(node, ast.Return):
                    self.returned[body.name] = shape
        for part in ast.walk(body):
            if isinstance(part, ast.Subscript):
                self._index(part, known)

    def _assign(self, target: ast.expr, value: ast.expr, known: dict[str, Dims | None]) -> None:
        owner = known.get(shape_of(value))
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=False):
                self._assign(one, other, known)
        elif isinstance(target, ast.Tuple) and owner:
            for name, dim in zip(target.elts, owner, strict=False):
                if isinstance(name, ast.Name) and name.id != "_":
                    dim.join(self._named(name.id))
        elif isinstance(target, (ast.Name, ast.Attribute)):
            known[ast.unparse(target)] = self._shape(value, known)

    def _named(self, name: str) -> Dim:
        value = self.attributes.get(name)
        size = value.value if isinstance(value, ast.Constant) and isinstance(value.value, int) else None
        return self.named.setdefault(name, Dim(name, size))

    def _shape(self, node: ast.expr, known: dict[str, Dims | None]) -> Dims | None:
        """Return the axes of an expression, as far as they are known, and note which lengths must be alike."""
        if isinstance(node, ast.Name):
            return known.get(node.id) or self._attribute(node.id, known)
        if isinstance(node, ast.Attribute):
            if node.attr in ("T", "mT"):
                inner = self._shape(node.value, known)
                return inner[::-1] if inner else None
            if node.attr in HOLDERS:
                return self._shape(node.value, known)
            name = ast.unparse(node)
            return known.get(name) or self._attribute(name, known)
        if isinstance(node, ast.BinOp):
            left, right = self._shape(node.left, known), self._shape(node.right, known)
            return product(left, right) if isinstance(node.op, ast.MatMult) else broadcast(left, right)
        if isinstance(node, ast.UnaryOp):
            return self._shape(node.operand, known)
        if isinstance(node, ast.Subscript):
            return self._attribute(ast.unparse(node), known) or self._part(node, known)
        return self._call(node, known) if isinstance(node, ast.Call) else None

    def _part(self, node: ast.Subscript, known: dict[str, Dims | None]) -> Dims | None:
        """Return the axes that are left of an array where some are indexed."""
        whole = self._shape(node.value, known)
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        simple = all(isinstance(each, (ast.Name, ast.BinOp)) or is_plain(each) for each in items)
        if not whole or not simple or len(items) > len(whole) or any(index_of(each) in self.indices for each in items):
            return None
        kept = [dim for dim, item in zip(whole, items, strict=False) if isinstance(item, ast.Slice)]
        cut = any(isinstance(item, ast.Slice) and item.upper is not None for item in items)
        return None if cut else [*kept, *whole[len(items) :]]

    def _call(self, node: ast.Call, known: dict[str, Dims | None]) -> Dims | None:
        letters: dict[str, Dim] = {}
        for name, subscript in einsum(node):
            for letter, dim in zip(subscript, known.get(name) or [], strict=False):
                dim.join(letters.setdefault(letter, Dim()))
        function, arguments = last(node.func), [self._shape(each, known) for each in node.args]
        holder = self._shape(node.func.value, known) if isinstance(node.func, ast.Attribute) else None
        operands = [holder, *arguments] if holder else arguments
        if isinstance(node.func, ast.Name) and function in self.returned:
            return self.returned[function]
        if function in _SQUARES and operands and operands[-1] and len(operands[-1]) > 1:
            operands[-1][-1].join(operands[-1][-2])
        if function in _PRODUCTS and len(operands) == 2:
            return product(*operands)
        if function in ("transpose", "swapaxes", "t", "permute") and operands and operands[0]:
            return [*operands[0][:-2], *operands[0][-2:][::-1]]
        if any(keyword.arg in ("axis", "dim", "keepdims") for keyword in node.keywords) or function in ("mean", "sum"):
            return None
        shapes = [each for each in operands if each]
        result = shapes[0] if shapes and not letters else None
        for each in shapes[1:] if function in _BROADCASTS else ():
            result = broadcast(result, each)
        return result

    def _attribute(self, name: str, known: dict[str, Dims | None]) -> Dims | None:
        """Return the axes of what the constructor, or the file, has made once."""
        value = self.attributes.get(name)
        if isinstance(value, ast.Name):
            return known.get(value.id)
        for node in ast.walk(value) if value is not None else ():
            if not isinstance(node, ast.Call):
                continue
            copied = known.get(last(node.args[0])) if node.args else None
            copied = copied or (known.get(last(node.func.value)) if isinstance(node.func, ast.Attribute) else None)
            if copied:
                return copied
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            sizes = next((each.elts for each in given if isinstance(each, ast.Tuple)), node.args)
            if sizes and isinstance(sizes[0], ast.List):  # written out
                inner = [each for each in sizes[0].elts[:1] if isinstance(each, ast.List)]
                return [Dim(size=len(each.elts)) for each in (sizes[0], *inner)]
            dims = [self._length(each) for each in sizes]
            if dims and None not in dims:
                return [dim for dim in dims if dim is not None]
        return None

    def _length(self, node: ast.expr) -> Dim | None:
        if isinstance(node, ast.Name):
            return self._named(node.id)
        value = node.value if isinstance(node, ast.Constant) else None
        return Dim(size=value) if isinstance(value, int) and value > 0 else None

    def _index(self, node: ast.Subscript, known: dict[str, Dims | None]) -> None:
        owner = known.get(last(node.value))
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for place, item in enumerate(items):
            name = index_of(item)
            if name in self.indices and owner and place < len(owner) and len(self.dims[name]) == 1:
                self.indices[name] = owner[place]
                if place:
                    self.dims[name][0].join(owner[0])

    def settle(self) -> Guess:
        """Give every axis a length, and every input a draw."""
        for table, index in self.evidence.tables.items():
            among = self.indices.get(index)
            if among is not None and table in self.dims:
                self.dims[table][0].join(among)
        lengths: dict[Dim, int] = {}
        first = self.dims[self.names[0]] if self.names else []
        rows = [name for name in self.rows if len(self.dims[name]) == 1]
        used = list(SIZES[len(first)])
        further = iter(size for size in FURTHER if size not in used)
        for name in self.names:
            others = {dim.root() for other in self.names if other != name for dim in self.dims[other]}
            alone = not others & {dim.root() for dim in self.dims[name]}
            usual = SIZES[len(self.dims[name])] if alone or name == self.names[0] else ()
            for place, dim in enumerate(self.dims[name]):
                root = dim.root()
                if root in lengths:
                    continue
                kernel = name != self.names[0] and normalise(root.name) in KERNELS
                lengths[root] = KERNEL if kernel else usual[place] if usual else 0
                if root.size is not None:
                    lengths[root] = root.size
                elif name in rows and first:  # a scale per column, or per channel of an image
                    lengths[root] = lengths[first[1 if len(first) == 4 else -1].root()]
                lengths[root] = lengths[root] or next(further, 4)
        inputs = {name: self._spec(name, lengths) for name in self.names}
        sizes = {name: lengths.get(dim.root()) or next(further, 4) for name, dim in self.named.items()}
        return Guess(inputs, sizes)

    def _spec(self, name: str, lengths: Mapping[Dim, int]) -> InputSpec:
        shape = tuple(lengths[dim.root()] for dim in self.dims[name])
        if name in self.indices:
            among = self.indices[name]
            high = lengths.get(among.root(), 5) if among is not None else 5
            return InputSpec("integers", (SIZES[2][0],) if shape == SIZES[1] else shape, None, {"high": high})
        word = normalise(name)
        if word in MASKS:
            return InputSpec("bernoulli", shape)
        if word in TARGETS and name != self.names[0] and self.evidence.logarithm:
            return InputSpec("bernoulli" if "uniform" in self.evidence.domains.values() else "one-hot", shape)
        draw = self.evidence.domains.get(name, "normal")
        return InputSpec(draw, shape, None, {"low": 0.05, "high": 0.95} if draw == "uniform" else {})
