"""Functions of tensors, and how they are called: bound by the names of their arguments, like any other forward."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gradcheck.errors import BindingError
from gradcheck.layers.binding import bind_forward, check_used, given_names
from gradcheck.layers.calling import name_of
from gradcheck.layers.engines import UPSTREAM, Tensors
from gradcheck.layers.frameworks import RESERVED
from gradcheck.layers.modules import Session, UnsteadyError
from gradcheck.layers.protocol import Array, Inputs, Options
from gradcheck.layers.references import Handle
from gradcheck.layers.roles import EMPTY, POSITIONAL_ONLY, VAR_KEYWORD, Kind, Plan, Role, Slot, Values, read_slots
from gradcheck.layers.trees import Tree, assemble, names_below, roots_of
from gradcheck.layers.words import check_bind
from gradcheck.model import Place


@dataclass(frozen=True, slots=True)
class Request:
    """What a case, or a caller, says of a layer beside the code itself.

    Attributes
    ----------
    inputs
        Names of the arrays; ``None``: as the function asks for.
    options
        Options of the function itself.
    bind
        What arguments stand for.
    trees
        Arguments that are no single array, by name.
    partial
        Whether options may be left over, since it is a link of a chain.
    """

    inputs: tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    bind: Mapping[str, str] = field(default_factory=dict)
    trees: Mapping[str, Tree] = field(default_factory=dict)
    partial: bool = False

    def without(self, names: Sequence[str]) -> Request:
        """Return the same without some of the inputs."""
        inputs = None if self.inputs is None else tuple(name for name in self.inputs if name not in names)
        return replace(self, inputs=inputs)


@dataclass(slots=True)
class FunctionTarget:
    """A function of tensors.

    Attributes
    ----------
    handle
        Where it comes from, so that it can be had anew.
    function
        The function itself.
    plan
        What its arguments stand for.
    adapt
        Makes what is called of what the handle holds.
    trees
        Arguments that are no single array.
    fixed
        Options that hold where a call does not say otherwise.
    """

    name: str
    handle: Handle
    function: Callable[..., object]
    plan: Plan
    inputs: tuple[str, ...]
    source: Place | None = None
    by_hand: bool = False
    trees: Mapping[str, Tree] = field(default_factory=dict)
    defaults: Mapping[str, Array] = field(default_factory=dict)
    adapt: Callable[[object], Callable[..., object] | None] | None = None
    lift: Callable[[Array], object] | None = None
    fixed: Options = field(default_factory=dict)
    options: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        taken = self.plan.names(Kind.OPTION)
        self.options = (*taken, *(name for name in RESERVED if name not in taken))

    def settle(self, inputs: Inputs) -> dict[str, Array]:
        """Return the arrays as they are."""
        return dict(inputs)

    def call(self, tensors: Tensors, options: Options) -> object:
        """Call it; see :class:`gradcheck.layers.engines.Target`."""
        held = {name: self.lift(array) if self.lift else array for name, array in self.defaults.items()}
        values = Values(assemble(tensors, self.trees, held), {**self.fixed, **options})
        arguments, keywords = self.plan.arguments(values)
        return self.function(*arguments, **keywords)

    def fresh(self) -> FunctionTarget:
        """Return an equal one with no memory of earlier calls; itself where that cannot be had."""
        try:
            found = self.handle.resolve(Session(fresh=True))
        except UnsteadyError:
            return self
        function = self.adapt(found) if self.adapt is not None else found
        return replace(self, function=function) if callable(function) else self


def bind_target(function: Callable[..., object], title: str, request: Request) -> tuple[Plan, tuple[str, ...]]:
    """Bind the arguments of a function of tensors, and return the plan and the names of its arrays.

    Raises
    ------
    BindingError
        If an argument could mean two things, or an input or option is taken by none.
    """
    options = list(request.options)
    roots = None if request.inputs is None else roots_of(request.inputs)
    if roots is not None:
        roots = tuple(dict.fromkeys((*roots, *(root for root in request.trees if root not in roots))))
    elif request.trees:
        roots = _with_trees(function, title, request)
    plan = _bind_builtin(function, title, roots, options) if read_slots(function) is None else None
    if plan is None:
        plan = bind_forward(function, title, roots, options, request.bind)
    names = given_names(plan, roots)
    check_bind(request.bind, {"forward": plan})
    if not request.partial:
        check_used(names, options, [plan])
    given = request.inputs or names
    return plan, tuple(leaf for root in names for leaf in names_below(root, given, request.trees))


def argument_names(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the names of a function's arguments; none if they cannot be read."""
    return tuple(slot.name for slot in read_slots(function) or () if slot.single)


def upstream_names(inputs: Sequence[str] | None, own: Sequence[str]) -> tuple[str, ...]:
    """Return those of the inputs that are the upstream of a second derivative: ``upstream``, ``upstream0`` ..."""
    return tuple(
        name
        for name in inputs or ()
        if name not in own and (name == UPSTREAM or name.removeprefix(UPSTREAM).isdecimal())
    )


def title_of(thing: object) -> str:
    """Return what a function is called: the last part of its name (``tanh``, not ``_VariableFunctionsClass.tanh``)."""
    name = name_of(thing, "function")
    return name.rpartition(".")[2] if name.startswith("_") else name


def _with_trees(function: Callable[..., object], title: str, request: Request) -> tuple[str, ...]:
    plan = bind_forward(function, title, None, list(request.options), request.bind)
    return tuple(dict.fromkeys((*plan.names(Kind.INPUT), *request.trees)))


def _bind_builtin(
    function: Callable[..., object], title: str, inputs: Sequence[str] | None, options: Sequence[str]
) -> Plan:
    """Plan a call of a function whose signature cannot be read: inputs by position, options by name.

    ``axis`` is left out, since a case with an axis has it whether or not the function takes one; ``dim`` is not.
    """
    if inputs is None:
        inputs = _names_in_docstring(function, options)
    if not inputs:
        raise BindingError(f"the arguments of `{title}` cannot be read", "name the inputs of the case, in order")
    slots = [Slot(name, POSITIONAL_ONLY, EMPTY, [Role(Kind.INPUT, name)]) for name in inputs]
    rest = Slot("options", VAR_KEYWORD, EMPTY, [Role(Kind.OPTION, name) for name in options if name != "axis"])
    return Plan(title, [*slots, rest])


def _names_in_docstring(function: Callable[..., object], options: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments without a default that the first line of a docstring shows: ``gelu(input, alpha=1)``."""
    lines = [line for line in (getattr(function, "__doc__", None) or "").splitlines() if line.strip()]
    shown = re.match(r"\s*[\w.]+\(([^)=*]*)", lines[0]) if lines else None
    words = [word.strip() for word in shown[1].split(",")] if shown else []
    if shown and shown.end() < len(lines[0]) and lines[0][shown.end()] == "=":
        words.pop()  # the name before the first "="
    return tuple(word for word in words if word.isidentifier() and word not in options)
