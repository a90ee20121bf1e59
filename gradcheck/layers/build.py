"""From what a case or a caller names to a layer: the kind is found by keys, or else by type."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.layers.adapters import adapt, find_layer
from gradcheck.layers.calling import name_of
from gradcheck.layers.combined import Half
from gradcheck.layers.evidence import is_plain
from gradcheck.layers.frameworks import FRAMEWORK, without_numpy
from gradcheck.layers.functions import pair_functions
from gradcheck.layers.modules import Session
from gradcheck.layers.protocol import Layer
from gradcheck.layers.references import Handle, Item, Live, Part, Reference, is_reference
from gradcheck.model import Case, LayerSpec, Plain

# The conventions themselves are imported when one is met: most runs need pairs of functions alone, and start sooner.
_KINDS = ("target", "forward", "object", "node", "chain")


def build(
    spec: LayerSpec,
    inputs: Sequence[str] | None = None,
    options: Mapping[str, Plain] | None = None,
    session: Session | None = None,
    *,
    partial: bool = False,
) -> Layer:
    """Return the layer that a case names.

    Parameters
    ----------
    spec
        Which code it is, and how it is called.
    inputs
        Names of the arrays that the case has; ``None``: as the forward asks for.
    options
        The options that the case has.
    session
        Layers of one session share the modules that it executes; a new one by default.
    partial
        Whether options may be left over, since it is a link of a chain.

    Raises
    ------
    NameLookupError
        If a file, module, attribute, method or registered name does not exist.
    BindingError
        If an argument could mean two things.
    UsageError
        If the spec does not say which code it is.
    LayerError
        If the user's code raises while it is loaded or constructed.
    """
    session, options = session or Session(), options or {}
    kinds = [kind for kind in _KINDS if getattr(spec, kind) is not None]
    if "forward" in kinds and ("object" in kinds or "node" in kinds):
        kinds.remove("forward")  # beside those it names a method
    if len(kinds) != 1:
        given = " and ".join(kinds) or "none"
        raise UsageError(f"a layer is given by one of {', '.join(_KINDS)}; here by {given}")
    request = _Request(spec, inputs, options, session, partial)
    if spec.chain is not None:
        return request.chain([replace(link, base=link.base or spec.base) for link in spec.chain])
    if spec.object is not None:
        whole = Reference(spec.object, spec.base)
        return request.adapted(whole.resolve(session), spec.backward) or request.object(whole)
    if spec.node is not None:
        return request.node(Reference(spec.node, spec.base))
    if spec.forward is not None:
        if spec.backward is None:
            raise _no_backward(spec.forward)
        return request.adapted_pair(Reference(spec.forward, spec.base), Reference(spec.backward, spec.base))
    target = spec.target or ""
    if is_reference(target) or target.endswith(".py"):
        handle: Handle = Reference(target, spec.base)
        if spec.backward is not None and is_reference(spec.backward):
            return request.adapted_pair(handle, Reference(spec.backward, spec.base))
        return request.by_type(handle)
    named = _Request(replace(spec, label=spec.label or target), inputs, options, session, partial)
    return named.by_type(Live(find_layer(target)))


def wrap(
    thing: object,
    backward: object = None,
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    inputs: Sequence[str] | None = None,
    options: Mapping[str, Plain] | None = None,
) -> Layer:
    """Return the layer of a live object: what :func:`gradcheck.check` is given.

    Parameters
    ----------
    thing
        A forward function (with `backward`), a pair of functions, a class or an instance with a forward and a
        backward method, a class of graph nodes, a list of layers that are applied one after the other, a module with
        a ``forward`` and a ``backward``, an object of a framework, a case, a spec, a reference, or a layer.
    backward
        The backward function, or the name of the backward method.
    bind
        What arguments stand for, where their names do not say it.
    returns
        What the backward returns: ``vjp``, ``jacobian``, ``derivative`` or ``gradient``.
    inputs
        Names of the arrays that there are; ``None``: as the forward asks for.
    options
        The options that there are.

    Raises
    ------
    UsageError, LayerError
        As :func:`build`.
    """
    name = backward if isinstance(backward, str) else None
    spec = LayerSpec(bind=dict(bind or {}), returns=returns, backward=name)
    return _wrap(thing, backward if name is None else None, spec, inputs, options or {}, Session())


def _wrap(
    thing: object,
    backward: object,
    spec: LayerSpec,
    inputs: Sequence[str] | None,
    options: Mapping[str, Plain],
    session: Session,
    *,
    partial: bool = False,
) -> Layer:
    if isinstance(thing, str):
        return build(replace(spec, target=thing), inputs, options, session, partial=partial)
    if isinstance(thing, Layer) and not isinstance(thing, type):
        return thing
    request = _Request(spec, inputs, options, session, partial)
    if backward is None:
        return request.by_type(Live(thing))
    return request.adapted_pair(Live(thing), Live(backward))


@dataclass(frozen=True, slots=True)
class _Request:
    """A layer that is asked for, and everything that its conventions need to know."""

    spec: LayerSpec
    inputs: Sequence[str] | None
    options: Mapping[str, Plain]
    session: Session
    partial: bool

    def by_type(self, handle: Handle) -> Layer:
        """Find the convention by the type of a thing."""
        from gradcheck.layers import methods, nodes

        thing = handle.resolve(self.session)
        if isinstance(thing, Case):
            names = self.inputs if self.inputs is not None else list(thing.inputs) or None
            names = None if self.partial else names
            options = self.options if self.partial else {**thing.options, **self.options}
            layer = replace(thing.layer, label=thing.layer.label or self.spec.label)
            return build(layer, names, options, self.session, partial=self.partial)
        if isinstance(thing, LayerSpec):
            return build(thing, self.inputs, self.options, self.session, partial=self.partial)
        if isinstance(thing, Layer) and not isinstance(thing, type):
            return thing
        if isinstance(thing, list):
            return self.chain(thing)
        if isinstance(thing, tuple) and len(thing) == 2 and all(map(_is_function, thing)):
            live = isinstance(handle, Live)
            return self.pair(*(Live(part) if live else Item(handle, i) for i, part in enumerate(thing)))
        adapted = self.adapted(thing, self.spec.backward)
        if adapted is not None:
            return adapted
        if isinstance(thing, ModuleType):
            return self.pair(Part(handle, "forward"), Part(handle, "backward"))
        if isinstance(thing, type):
            return self.node(handle) if nodes.is_node(thing) else self.object(handle)
        if methods.has_methods(thing) and not inspect.isroutine(thing):
            return self.object(handle)
        for name in ("backward", "vjp"):
            if callable(thing) and callable(getattr(thing, name, None)):
                return self.pair(handle, Part(handle, name))
        if inspect.isroutine(thing) and self.spec.returns != "vjp":
            return self.pair(Half(handle, gradient=False), Half(handle, gradient=True))
        if inspect.isroutine(thing) or isinstance(thing, np.ufunc):
            raise _no_backward(name_of(thing), getattr(thing, "__globals__", {}))
        if self.spec.backward or callable(thing):
            return self.object(handle)
        raise UsageError(
            f"{type(thing).__name__} is no layer",
            "give a forward and its backward, a class or object with both, a class of graph nodes or a list of layers",
        )

    def chain(self, links: Sequence[object]) -> Layer:
        """Return the layer of several, one after the other."""
        from gradcheck.layers.chain import chain_layers
        from gradcheck.layers.links import Recipe

        def recipe_of(thing: object) -> Recipe:
            def build_link(inputs: Sequence[str] | None, options: Mapping[str, Plain], session: Session) -> Layer:
                if isinstance(thing, LayerSpec):
                    return build(thing, inputs, options, session, partial=True)
                return _wrap(thing, None, LayerSpec(), inputs, options, session, partial=True)

            label, names = (thing.label, thing.inputs) if isinstance(thing, LayerSpec) else (None, None)
            return Recipe(build_link, label, None if names is None else tuple(names))

        return chain_layers(list(map(recipe_of, links)), self.inputs, self.options, self.session, self.spec.label)

    def adapted(self, thing: object, backward: object) -> Layer | None:
        """Ask the adapters."""
        spec = self.spec
        return adapt(
            thing,
            backward=backward,
            bind=spec.bind,
            returns=spec.returns,
            inputs=self.inputs,
            options=self.options,
            forward=spec.forward if spec.object is not None else None,
            init=spec.init,
            partial=self.partial,
            label=spec.label,
        )

    def adapted_pair(self, forward: Handle, backward: Handle) -> Layer:
        """Ask the adapters about two functions; else return their layer."""
        both = [handle.resolve(self.session) for handle in (forward, backward)]
        foreign = FRAMEWORK in self.options or not is_plain(*both)
        return (self.adapted(*both) if foreign else None) or self.pair(forward, backward)

    def pair(self, forward: Handle, backward: Handle) -> Layer:
        """Return the layer of two functions."""
        return pair_functions(
            (forward, backward),
            self.session,
            name=self.spec.label,
            inputs=self.inputs,
            options=without_numpy(self.options),
            bind=self.spec.bind,
            returns=self.spec.returns,
            partial=self.partial,
        )

    def object(self, handle: Handle) -> Layer:
        """Return the layer of a class or an instance."""
        from gradcheck.layers.objects import wrap_object

        spec = self.spec
        return wrap_object(
            handle,
            self.session,
            methods=(spec.forward, spec.backward),
            init=spec.init,
            parameters=spec.parameters,
            name=spec.label,
            inputs=self.inputs,
            options=without_numpy(self.options),
            bind=spec.bind,
            returns=spec.returns,
            partial=self.partial,
        )

    def node(self, handle: Handle) -> Layer:
        """Return the layer of a class of graph nodes."""
        from gradcheck.layers.nodes import wrap_node

        spec = self.spec
        return wrap_node(
            handle,
            self.session,
            methods=(spec.forward, spec.backward),
            attributes=(spec.value, spec.gradient),
            init=spec.init,
            name=spec.label,
            inputs=self.inputs,
            options=self.options,
            bind=spec.bind,
            partial=self.partial,
        )


def _is_function(thing: object) -> bool:
    return callable(thing) and not isinstance(thing, type)


def _no_backward(name: str, beside: Mapping[str, object] | None = None) -> UsageError:
    lead = f"is it `{name}_backward`? " if f"{name}_backward" in (beside or {}) else ""
    return UsageError(
        f"`{name}` is a function without a backward",
        f"{lead}give its backward too: `backward: ...`, --backward REFERENCE   (in Python: backward=... or ({name}, "
        "...)); one that returns a value and its gradient says `returns: gradient`",
    )
