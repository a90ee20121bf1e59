"""Forward and backward passes in the text of a Python file, found by their names; nothing of it is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gradcheck.cli.draft.axes import last
from gradcheck.layers.methods import BACKWARDS, FORWARDS

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"

_AFTER = "backward backwards back bwd backprop bprop vjp pullback adjoint grad gradient delta derivative deriv prime der jacobian jac"  # noqa: E501
_BEFORE = "backward backprop bprop bwd vjp grad gradient derivative deriv jacobian jac d"
_SUFFIX = re.compile(rf"(?P<stem>.*?)_?(?P<mark>{'|'.join(sorted(_AFTER.split(), key=len, reverse=True))})")
_PREFIX = re.compile(rf"(?P<mark>{'|'.join(_BEFORE.split())})_(?P<stem>.+)")
_FORWARD = ("{0}", "{0}_forward", "{0}_fwd", "forward_{0}", "{0}_fn", "{0}_loss", "compute_{0}")
_NAMELESS = ("forward", "fwd", "compute", "f", "fn", "prop")
JACOBIANS = ("jacobian", "jac")
SURE = ("backward", "backwards", "bwd", "vjp", "backprop", "bprop")


@dataclass(slots=True)
class Found:
    """A forward with its backward.

    Attributes
    ----------
    name
        Of the layer: that of the forward function, or of the class.
    forward, backward
        The two, as they are written.
    mark
        The word by which the backward was known: ``backward``, ``jacobian``, ``derivative`` ...
    owner
        The class that they are methods of.
    framework
        Whether a framework recognises the class by its type.
    helpers
        Other functions of the file that the two call.
    constructor
        The ``__init__`` of the class, or of a base of it in the same file.
    """

    name: str
    forward: Function
    backward: Function
    mark: str
    owner: ast.ClassDef | None = None
    framework: bool = False
    helpers: list[Function] = field(default_factory=list)
    constructor: Function | None = None

    @property
    def line(self) -> int:
        """Where it begins."""
        return (self.owner or self.forward).lineno


@dataclass(slots=True)
class Scan:
    """What a file holds.

    Attributes
    ----------
    found
        The layers, in the order of the file.
    alone
        Names of backwards without a forward, each with its line.
    constants
        What the file sets at its top, by name.
    """

    found: list[Found] = field(default_factory=list)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    alone: list[tuple[str, int]] = field(default_factory=list)


def scan(tree: ast.Module) -> Scan:
    """Find the layers of a file: pairs of functions at its top, and classes with both methods."""
    result = Scan()
    for target, value in assignments(tree.body):
        if isinstance(target, ast.Name):
            result.constants[target.id] = value
    functions: dict[str, Function] = {}
    classes: dict[str, ast.ClassDef] = {}
    for node in _top(tree.body):
        if isinstance(node, ast.ClassDef):
            classes[node.name] = node
        else:
            functions[node.name] = node
    known = {_snake(name): function for name, function in functions.items()}
    used: dict[str, None] = {}
    for name, function in functions.items():
        pair = _forward_of(_snake(name), known)
        if pair is None:
            continue
        forward, mark = pair
        if forward is not None and forward is not function:
            result.found.append(Found(forward.name, forward, function, mark))
            used[forward.name] = None
        elif forward is None:
            result.alone.append((name, function.lineno))
    # `grad` finds `softmax_grad`, which is itself the backward of `softmax`
    backwards = {each.backward.name for each in result.found}
    result.found = [each for each in result.found if each.forward.name not in backwards]
    torch = "torch" in _imports(tree)
    for owner in classes.values():
        methods = dict(_methods(owner, classes))
        both = _pair_of(methods)
        bases = {last(base) for base in owner.bases} if torch else set()
        if both is not None and not any(map(_is_abstract, both)) and "Module" not in bases:
            made = Found(owner.name, *both, both[1].name, owner, "Function" in bases)
            made.constructor = None if is_static(both[0]) else methods.get("__init__")
            result.found.append(made)
    for each in result.found:
        each.helpers = _helpers(each, functions)
    result.found.sort(key=lambda each: (each.line, each.backward.lineno))
    return result


def parameters(function: Function, *, method: bool = False) -> list[tuple[ast.arg, ast.expr | None]]:
    """Return the arguments of a function that have a name, each with its default; without ``self`` and ``cls``."""
    spec = function.args
    positional = [*spec.posonlyargs, *spec.args]
    defaults: list[ast.expr | None] = [*[None] * (len(positional) - len(spec.defaults)), *spec.defaults]
    pairs = list(zip(positional, defaults, strict=True))
    if method and not is_static(function):
        pairs = pairs[1:]
    return [*pairs, *zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]


def is_static(function: Function) -> bool:
    """Whether a method is called without an instance."""
    return any(last(each) == "staticmethod" for each in function.decorator_list)


def assignments(body: Sequence[ast.AST]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what statements set, each target with its value."""
    for node in body:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield node.target, node.value
        if isinstance(node, ast.Assign):
            value = node.value
            for target in node.targets:
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    yield from zip(target.elts, value.elts, strict=False)
                else:
                    yield target, value


def _top(body: Sequence[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    """Yield the functions and classes of a module, also those that it defines under a condition."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            for name in ("body", "orelse", "finalbody"):
                yield from _top(getattr(node, name, []))


def _forward_of(name: str, known: dict[str, Function]) -> tuple[Function | None, str] | None:
    """Return the forward of what is called like a backward, and the word that says so; ``None`` if it is not."""
    bare = name.strip("_")
    ways = [match for match in (_SUFFIX.fullmatch(bare), _PREFIX.fullmatch(bare)) if match]
    for match in ways:
        stem = match["stem"].strip("_")
        wanted = [form.format(stem) for form in _FORWARD] if stem else list(_NAMELESS)
        for each in wanted:
            for spelling in (each, f"_{each}"):
                if spelling in known and spelling != name:
                    return known[spelling], match["mark"]
        if stem and "forward" in known and match["mark"] in SURE:
            return known["forward"], match["mark"]
    if bare.startswith("d") and bare[1:] in known:
        return known[bare[1:]], "d"
    # a name such as `step_back` or `grad_norm` is a backward only where its forward is there
    sure = [match for match in ways if match["mark"] in SURE]
    return (None, sure[0]["mark"]) if sure else None


def _pair_of(methods: dict[str, Function]) -> tuple[Function, Function] | None:
    """Return the forward and the backward of a class: by their usual names, else by names that belong together."""
    names = [next((name for name in usual if name in methods), None) for usual in (FORWARDS, BACKWARDS)]
    if names[0] is not None and names[1] is not None:
        return methods[names[0]], methods[names[1]]
    known = {_snake(name): method for name, method in methods.items() if not name.startswith("__")}
    for name, method in methods.items():
        pair = _forward_of(_snake(name), known)
        if pair is not None and pair[0] is not None:
            return pair[0], method
    return None


def _methods(owner: ast.ClassDef, classes: dict[str, ast.ClassDef], depth: int = 0) -> Iterator[tuple[str, Function]]:
    """Yield the methods of a class, those of bases in the same file first."""
    for base in owner.bases:
        name = last(base)
        if name in classes and classes[name] is not owner and depth < 10:
            yield from _methods(classes[name], classes, depth + 1)
    for node in owner.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node


def _helpers(found: Found, functions: dict[str, Function]) -> list[Function]:
    helpers: list[Function] = []
    bodies = [found.forward, found.backward]
    while bodies:
        for node in ast.walk(bodies.pop()):
            callee = (
                functions.get(node.func.id) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
            )
            if callee is not None and callee not in (found.forward, found.backward, *helpers):
                helpers.append(callee)
                bodies.append(callee)
    return helpers


def _is_abstract(function: Function) -> bool:
    """Whether a method does nothing: a text, ``pass``, ``...``, or an error that says that it is not implemented."""
    for node in function.body:
        if isinstance(node, ast.Raise) and "NotImplemented" in ast.dump(node):
            return True
        idle = isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        if not idle:
            return False
    return True


def _imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def _snake(name: str) -> str:
    """Return ``softmaxBackward`` as ``softmax_backward``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
