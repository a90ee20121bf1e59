"""What every adapter of a framework does alike: which of the ways to write a layer it is, once its arrays are known."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from gradcheck.layers.calling import locate
from gradcheck.layers.differentiable import DifferentiableLayer
from gradcheck.layers.engines import Engine, Target
from gradcheck.layers.evidence import is_written_for
from gradcheck.layers.frameworks import Framework, Wishes, is_asked, loaded, split_options
from gradcheck.layers.lifted import methods_on_tensors, pair_on_tensors
from gradcheck.layers.methods import has_methods
from gradcheck.layers.outputs import to_array
from gradcheck.layers.protocol import Array, Layer
from gradcheck.layers.references import Handle, Live
from gradcheck.layers.targets import (
    FunctionTarget,
    Request,
    argument_names,
    bind_target,
    title_of,
    upstream_names,
)
from gradcheck.layers.trees import Tree


@dataclass(slots=True)
class Proposal:
    """Something that may be a layer of a framework, with all that is said of it.

    Attributes
    ----------
    thing, backward, forward, bind, returns, inputs, options, init, partial
        As an adapter is given them; see :mod:`gradcheck.layers.adapters`.
    engine
        Makes what is known of the framework.
    trees
        Arguments that are no single array.
    asked
        Whether somebody has said that it is of this framework.
    """

    thing: object
    backward: object
    forward: str | None
    bind: Mapping[str, str]
    returns: str
    inputs: Sequence[str] | None
    options: Mapping[str, object]
    init: Mapping[str, object]
    partial: bool = False
    engine: Callable[[Wishes], Any] = field(default=lambda _: None)
    trees: dict[str, Tree] = field(default_factory=dict)
    asked: bool = False

    def framework(self, framework: Framework, load: Callable[[], Any]) -> Any:
        """Return the framework if the thing may be of it: it is asked for, or loaded and no other one is asked for."""
        said = is_asked(framework, self.options)
        self.asked = bool(said)
        if said is False:
            return None
        found = loaded(framework)
        return load() if found is None and said else found

    def settle(self, own: Sequence[str]) -> tuple[Request, Wishes, tuple[str, ...]]:
        """Part what is for a function with these arguments from what is for the adapter.

        Returns
        -------
        Request, Wishes, names
            What the function is given; what the adapter does; the inputs that are the upstream of a second derivative.
        """
        options, wishes = split_options(self.options, own)
        upstreams = upstream_names(self.inputs, own) if wishes.order == 2 else ()
        inputs = None if self.inputs is None else tuple(self.inputs)
        return Request(inputs, options, self.bind, self.trees, self.partial).without(upstreams), wishes, upstreams

    def differentiable(
        self,
        function: Callable[..., object],
        handle: Handle | None = None,
        *,
        name: str | None = None,
        backward: object = None,
        by_hand: bool = False,
        adapt: Callable[[object], Callable[..., object] | None] | None = None,
    ) -> DifferentiableLayer:
        """Return the layer of a function that the framework differentiates.

        Parameters
        ----------
        function
            The function of tensors.
        handle
            Where it comes from; itself by default.
        name
            What the layer is called.
        backward
            The rule, if its author wrote one: the report points there.
        by_hand
            Whether there is such a rule.
        adapt
            Makes the function of what the handle holds.
        """
        title = name or title_of(function)
        request, wishes, upstreams = self.settle(argument_names(function))
        plan, inputs = bind_target(function, title, request)
        engine: Engine = self.engine(wishes)
        target = FunctionTarget(
            title,
            handle or Live(function),
            function,
            plan,
            inputs,
            locate(backward if backward is not None else function),
            by_hand,
            request.trees,
            _held(request.trees, engine),
            adapt,
            engine.lift,
            request.options,
        )
        return layer_of(engine, target, wishes, upstreams)


def layer_of(engine: Engine, target: Target, wishes: Wishes, upstreams: tuple[str, ...]) -> DifferentiableLayer:
    """Return the layer of a target as the options wish it."""
    return DifferentiableLayer(engine, target, wishes.order, wishes.forward_mode, upstreams)


def propose(framework: Framework, proposal: Proposal) -> Layer | None:
    """Return the layer of a pair, an object or a function if it is written for a framework, else ``None``."""
    thing = proposal.thing
    pair = _pair_of(proposal)
    if pair is not None:
        if not (proposal.asked or is_written_for(framework, *pair, strict=True)):
            return None
        request, wishes, _ = proposal.settle([name for part in pair for name in argument_names(part)])
        handles = (Live(pair[0]), Live(pair[1]))
        return pair_on_tensors(handles, proposal.engine(wishes), request, proposal.returns)
    if _is_object(proposal):
        if not (proposal.asked or is_written_for(framework, thing, strict=True)):
            return None
        methods = (proposal.forward, proposal.backward if isinstance(proposal.backward, str) else None)
        request, wishes, _ = proposal.settle([])
        return methods_on_tensors(thing, proposal.engine(wishes), request, proposal.returns, methods, proposal.init)
    if not callable(thing) or isinstance(thing, type | np.ufunc) or proposal.backward or proposal.returns != "vjp":
        return None
    if not (proposal.asked or is_written_for(framework, thing)):
        return None
    return proposal.differentiable(thing)


def _pair_of(proposal: Proposal) -> tuple[Callable[..., object], Callable[..., object]] | None:
    thing: Any = proposal.thing
    if callable(proposal.backward):
        return (thing, proposal.backward) if callable(thing) and not isinstance(thing, type) else None
    if proposal.backward is not None or isinstance(thing, type):
        return None
    found: tuple[Any, ...] = ()
    if isinstance(thing, tuple) and len(thing) == 2:
        found = thing
    elif isinstance(thing, ModuleType):
        found = (getattr(thing, "forward", None), getattr(thing, "backward", None))
    elif inspect.isroutine(thing):
        found = (thing, getattr(thing, "backward", None))
    if len(found) == 2 and all(callable(part) and not isinstance(part, type) for part in found):
        return found[0], found[1]
    return None


def _is_object(proposal: Proposal) -> bool:
    thing = proposal.thing
    if inspect.isroutine(thing) or isinstance(thing, str | list | tuple | ModuleType):
        return False
    return has_methods(thing) or isinstance(proposal.backward, str)


def _held(trees: Mapping[str, Tree], engine: Engine) -> dict[str, Array]:
    """Return the arrays of the examples by which structures were shown: inputs that need not be given."""
    held: dict[str, Array] = {}
    for tree in trees.values():
        for name, leaf in zip(tree.names, tree.examples, strict=False):
            array = to_array(engine.lower(leaf))
            if array is not None:
                held[name] = np.array(array)
    return held
