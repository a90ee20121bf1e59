"""Arguments that are options, and values that commonly do: by their names, annotations, and how they are used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from gradcheck.cli.draft.scan import Function
from gradcheck.layers.vocabulary import AXES, normalise
from gradcheck.model import Plain

_VALUES: tuple[tuple[Plain, str], ...] = (
    (-1, "axis dim"),
    (True, "keepdims keepdim training train istraining"),
    (1e-5, "eps epsilon"),
    (1.0, "temperature temp tau delta scale sigma lam lambda hi high amax max"),
    (0.1, "alpha slope negativeslope smoothing labelsmoothing margin lr"),
    (0.5, "p q rate drop dropout dropprob dropoutrate keepprob"),
    (-1.0, "lo low amin min"),
    (0.9, "momentum"),
    (1, "stride pad padding dilation groups order"),
    (2, "k n h heads numheads nheads kernel kernelsize poolsize pool size window factor"),
    (5, "numclasses nclasses classes"),
    ("mean", "reduction"),
    (0, "seed"),
)
VALUES: dict[str, Plain] = {word: value for value, words in _VALUES for word in words.split()}
"""Words for options that are commonly asked for, and a value that commonly does."""

PARAMETERS = frozenset(["w", "b", "weight", "weights", "bias", "gamma", "beta", "kernel", "table", "embedding"])
"""Words for arrays that a constructor is given."""

_BY_TYPE: dict[str, Plain] = {
    "int": 2,
    "float": 0.5,
    "bool": True,
    "str": "mean",
    "tuple": 2,
    "Tuple": 2,
    "Optional": 2,
}
_ARRAYS = ("array", "tensor", "matrix")
_SIZES = ("in", "dim", "size", "features", "channels", "units", "width", "shape", "num", "inputs")


def guess_option(argument: ast.arg, functions: Iterable[Function]) -> Plain:
    """Return a value for an argument that is an option, or ``None`` for an array.

    Parameters
    ----------
    argument
        The argument.
    functions
        Those in which it is used.
    """
    kind = ast.unparse(argument.annotation) if argument.annotation else ""
    head = re.split(r"\W", kind)[0]
    word = normalise(argument.arg)
    if any(array in kind.lower() for array in _ARRAYS):
        return None
    nodes = [node for function in functions for node in ast.walk(function)]
    for node in nodes:
        if isinstance(node, ast.keyword) and _names(node.value) == argument.arg:
            if node.arg in AXES:
                return -1
            if node.arg == "keepdims":
                return True
    if head in _BY_TYPE:
        return VALUES.get(word, _BY_TYPE[head])
    if word not in AXES and _is_array(argument.arg, nodes):
        return None
    counted = any(
        isinstance(node, ast.Call) and _names(node.func) == "range" and argument.arg in map(_names, node.args)
        for node in nodes
    )
    return VALUES.get(word, 2 if counted else None)


def guess_size(word: str) -> Plain:
    """Return a number for an argument of a constructor that counts features, or ``None``."""
    if word.startswith("out") or word.endswith("out") or "hidden" in word:
        return 3
    return 5 if word not in VALUES and any(part in word for part in _SIZES) else None


def _is_array(name: str, nodes: Sequence[ast.AST]) -> bool:
    """Whether something is done with an argument that only arrays allow: indexing, attributes, products, loops."""
    for node in nodes:
        used: list[ast.expr] = []
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            used = [node.value]
        elif isinstance(node, (ast.For, ast.comprehension)):
            used = [node.iter]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            used = [node.left, node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            used = node.args[:1]  # np.exp(x), but not the limits of np.clip(x, low, high)
        if name in map(_names, used):
            return True
    return False


def _names(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""
