"""Graph nodes in the style of micrograd: built from parent nodes, they add to their parents' gradients with ``+=``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gradcheck.errors import BindingError, LayerError, NameLookupError, UsageError, hint
from gradcheck.layers.binding import bind_forward, check_used, given_names
from gradcheck.layers.calling import call, locate, name_of
from gradcheck.layers.gradients import MISSING, NO_ARRAY, match
from gradcheck.layers.gradients import Order as GradientOrder
from gradcheck.layers.leaves import choose_attribute, make_leaf, parents_for
from gradcheck.layers.methods import has_methods
from gradcheck.layers.modules import Session, UnsteadyError
from gradcheck.layers.outputs import describe_value, read_outputs, to_array
from gradcheck.layers.parameters import words_of
from gradcheck.layers.protocol import Array, Gradients, Inputs, Mismatch, Options
from gradcheck.layers.references import Handle
from gradcheck.layers.roles import Kind, Plan, Values, read_slots
from gradcheck.layers.words import check_bind
from gradcheck.model import Place

BACKS = ("_back", "_backward", "back", "backward", "backward_pass", "backprop", "grad_fn")
_VALUES = ("data", "value", "val", "array", "output", "out")
_GRADIENTS = ("grad", "g", "gradient", "derivative")


@dataclass(slots=True)
class NodeLayer:
    """A layer that is a class of graph nodes.

    Attributes
    ----------
    handle
        Where the class comes from.
    kind
        The class.
    plan
        What the arguments of its constructor (or of the method that makes the node) stand for.
    maker
        Method of a leaf that makes the node (``Value(x).relu()``), if it is not made by its constructor.
    back
        Name of the method that adds to the parents' gradients.
    value, gradient
        Names of the attributes for the array and its gradient.
    plain
        Inputs that are handed over as arrays instead of nodes.
    """

    name: str
    handle: Handle
    kind: type
    plan: Plan
    inputs: tuple[str, ...]
    maker: str | None
    back: str | None
    value: str
    gradient: str
    plain: frozenset[str]
    init: Mapping[str, object]
    source: Place | None = None
    options: tuple[str, ...] = field(init=False)
    defaults: Mapping[str, Array] = field(init=False, default_factory=dict)
    _graph: tuple[object, dict[str, object]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.options = self.plan.names(Kind.OPTION)

    def forward(self, inputs: Inputs, options: Options) -> tuple[Array, ...]:
        """Return the outputs; see :class:`gradcheck.layers.protocol.Layer`."""
        leaves = {name: array if name in self.plain else self._leaf(array) for name, array in inputs.items()}
        arguments, keywords = self.plan.arguments(Values(leaves, {**self.init, **options}))  # type: ignore[dict-item]
        make: Callable[..., object] = self.kind
        if self.maker is not None:
            make = getattr(arguments.pop(0), self.maker)
        node = call(make, arguments, keywords, role="forward")
        self._graph = (node, leaves)
        if not hasattr(node, self.value):
            names = ", ".join(vars(node)) if hasattr(node, "__dict__") else ""
            raise BindingError(
                f"a `{name_of(type(node))}` has no attribute {self.value!r} for its value",
                f"say `value: NAME`; it has {names or 'none'}",
            )
        return read_outputs(getattr(node, self.value)).arrays

    def vjp(
        self,
        upstream: Sequence[Array],
        inputs: Inputs,
        outputs: Sequence[Array],
        options: Options,
        wrt: Sequence[str],
    ) -> Gradients:
        """Return the analytic gradients; see :class:`gradcheck.layers.protocol.Layer`.

        A graph serves for one backward, since gradients accumulate: for a second one it is built again.
        """
        return self.vjp_onto({}, upstream, inputs, options, wrt)

    def vjp_onto(
        self,
        preset: Mapping[str, Array],
        upstream: Sequence[Array],
        inputs: Inputs,
        options: Options,
        wrt: Sequence[str],
    ) -> Gradients:
        """Return what the parents' gradients are after a backward that found other numbers there.

        ``preset``: by input, what they already are, as for a parent that another node has used; otherwise nothing.
        """
        if self._graph is None:
            self.forward(inputs, options)
        assert self._graph is not None
        (node, leaves), self._graph = self._graph, None
        for name, value in preset.items():
            setattr(leaves[name], self.gradient, value.copy())
        before = {name: getattr(leaf, self.gradient, None) for name, leaf in leaves.items()}
        g = upstream[0] if len(upstream) == 1 else tuple(upstream)
        try:
            setattr(node, self.gradient, g)
        except AttributeError as error:
            raise LayerError(
                f"the upstream cannot be put into {name_of(type(node))}.{self.gradient}: {error}"
            ) from None
        back = self._find_back(node)
        returned = call(back, parents_for(back, self.plan, self.inputs, leaves, g), role="backward")
        untouched = [name for name in wrt if _same(getattr(leaves[name], self.gradient, None), before[name])]
        if returned is not None and returned is not node and len(untouched) == len(wrt):
            return match(returned, GradientOrder(tuple(wrt), (self.inputs,)), inputs)
        return self._read(leaves, wrt, untouched)

    def fresh(self) -> NodeLayer:
        """Return an equal layer with no memory of earlier calls."""
        return self.renew(Session(fresh=True))

    def renew(self, session: Session) -> NodeLayer:
        """Return an equal layer whose class comes from a session; itself where that cannot be had."""
        try:
            kind = self.handle.resolve(session)
        except UnsteadyError:
            return self
        return replace(self, kind=kind) if isinstance(kind, type) else self

    def _leaf(self, array: Array) -> object:
        kinds = self.kind.__mro__[0 if self.maker else 1 : -1]
        return make_leaf(kinds, self.value, self.gradient, array, keep_gradient=self.maker is not None)

    def _find_back(self, node: object) -> Callable[..., object]:
        names = BACKS if self.back is None else (self.back,)
        # a closure of the node comes before the methods of its class, and those before inherited ones
        spaces = [vars(node) if hasattr(node, "__dict__") else {}, *map(vars, type(node).__mro__)]
        for name in (name for space in spaces for name in names if name in space):
            method = getattr(node, name)
            if callable(method):
                return method  # type: ignore[no-any-return]
        raise NameLookupError(
            f"`{name_of(type(node))}` has no method {names[0]!r}",
            "say `backward: NAME`: the method that adds to the parents",
        )

    def _read(self, leaves: Mapping[str, object], wrt: Sequence[str], untouched: Sequence[str]) -> Gradients:
        found = Gradients({})
        for name in wrt:
            value = getattr(leaves[name], self.gradient, None)
            array = to_array(value)
            if value is None or (name in untouched and not isinstance(value, np.ndarray)):
                message = f"the backward added nothing to the gradient of the parent {name}"
                found.mismatches.append(Mismatch(MISSING, message, name))
            elif array is None:
                message = f"the backward left {describe_value(value)} as the gradient of the parent {name}"
                found.mismatches.append(Mismatch(NO_ARRAY, message, name))
            else:
                found.by_input[name] = array
        return found


def is_node(kind: type) -> bool:
    """Whether a class looks like one of graph nodes: it goes back to its parents, and has no forward."""
    return not has_methods(kind) and any(callable(getattr(kind, name, None)) for name in BACKS[:3])


def wrap_node(
    handle: Handle,
    session: Session,
    *,
    methods: tuple[str | None, str | None] = (None, None),
    attributes: tuple[str, str] = ("data", "grad"),
    init: Mapping[str, object] | None = None,
    name: str | None = None,
    inputs: Sequence[str] | None = None,
    options: Mapping[str, object] | None = None,
    bind: Mapping[str, str] | None = None,
    partial: bool = False,
) -> NodeLayer:
    """Return the layer of a class of graph nodes.

    Parameters
    ----------
    handle
        Where the class comes from.
    session
        In which it is resolved.
    methods
        The method of a leaf that makes the node (by default the constructor does), and the one that goes back.
    attributes
        Names of the attributes for the array and for its gradient; where the class's code does not know them, the
        usual ones that it knows are taken.
    init
        Further arguments of the constructor.
    name, inputs, options, bind, partial
        As for :func:`gradcheck.layers.functions.pair_functions`. What ``bind`` calls ``value:NAME`` is handed over as
        an array instead of a node.

    Raises
    ------
    UsageError
        If it is no class, or an argument cannot be bound.
    """
    kind = handle.resolve(session)
    if not isinstance(kind, type):
        raise UsageError(f"node is {name_of(kind)!r}, which is no class")
    bind = dict(bind or {})
    plain = frozenset(word[6:] for word in bind.values() if word.startswith("value:"))
    bind = {key: f"input:{word[6:]}" if word.startswith("value:") else word for key, word in bind.items()}
    make: Callable[..., object] = kind
    if methods[0] is not None:
        if not callable(getattr(kind, methods[0], None)):
            raise NameLookupError(f"`{kind.__name__}` has no method {methods[0]!r}{hint(methods[0], dir(kind))}")
        make = getattr(kind, methods[0])
    title = name_of(make)
    given = {**(options or {}), **(init or {})}
    declared = inputs
    if inputs is not None and methods[0] is not None and "self" not in inputs:
        slots = read_slots(make) or []
        if slots and slots[0].name not in inputs and slots[0].name not in bind:
            bind[slots[0].name] = f"input:{inputs[0]}"  # the leaf whose method it is
    plan = bind_forward(make, title, declared, given, bind)
    names = given_names(plan, inputs)
    if inputs is not None and partial:
        names = tuple(item for item in names if item in plan.names(Kind.INPUT))
    check_bind(bind, {"forward": plan})
    if not partial:
        check_used(names, list(given), [plan])
    words = words_of(kind)
    value = choose_attribute(attributes[0], _VALUES, words)
    gradient = choose_attribute(attributes[1], _GRADIENTS, words)
    back = getattr(kind, methods[1], None) if methods[1] else None
    back = back or next((getattr(kind, item) for item in BACKS if callable(getattr(kind, item, None))), None)
    return NodeLayer(
        name or title,
        handle,
        kind,
        plan,
        names,
        methods[0],
        methods[1],
        value,
        gradient,
        plain,
        init or {},
        locate(back or kind),
    )


def _same(one: object, other: object) -> bool:
    """Whether a gradient is the very object that it was, with nothing added in place."""
    return one is other and not (isinstance(one, np.ndarray) and bool(np.any(one)))
