"""Layers one after the other: outputs handed on, gradients handed back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from gradcheck.errors import BindingError, LayerError, UsageError, hint
from gradcheck.layers.gradients import MISSING
from gradcheck.layers.links import Link, Member, Recipe, label_of, names_of, settle_first
from gradcheck.layers.modules import Session
from gradcheck.layers.protocol import Array, Gradients, Inputs, Mismatch, Options
from gradcheck.layers.vocabulary import AXES
from gradcheck.model import Place, Plain


@dataclass(slots=True)
class ChainLayer:
    """A layer made of layers."""

    name: str
    members: tuple[Member, ...]
    inputs: tuple[str, ...]
    source: Place | None = None
    options: tuple[str, ...] = field(init=False)
    defaults: Mapping[str, Array] = field(init=False)
    _passes: list[tuple[Member, Link, tuple[Array, ...]]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.options = tuple(dict.fromkeys(name for member in self.members for name in member.layer.options))
        self.defaults = {
            name: member.layer.defaults[own]
            for member in self.members
            for own, name in member.names.items()
            if own in member.layer.defaults
        }

    def forward(self, inputs: Inputs, options: Options) -> tuple[Array, ...]:
        """Return the outputs of the last link; see :class:`gradcheck.layers.protocol.Layer`."""
        self._passes = []
        outputs: tuple[Array, ...] = ()
        for member in self.members:
            link = _step(member, outputs, inputs, options)
            with _within(member.label):
                outputs = link.layer.forward(link.inputs, link.options)
            self._passes.append((member, link, outputs))
        return outputs

    def vjp(
        self,
        upstream: Sequence[Array],
        inputs: Inputs,
        outputs: Sequence[Array],
        options: Options,
        wrt: Sequence[str],
    ) -> Gradients:
        """Return the analytic gradients; see :class:`gradcheck.layers.protocol.Layer`.

        An input that several links take has the sum of their gradients.
        """
        if self._passes is None:
            self.forward(inputs, options)
        assert self._passes is not None
        passes, self._passes = self._passes, None
        found = Gradients({})
        g: Sequence[Array] = upstream
        for member, link, between in reversed(passes):
            own = [name for name, name_in_chain in member.names.items() if name_in_chain in wrt]
            if not own and not link.flow:
                break
            asked = [name for name in link.layer.inputs if name in own or name in link.flow]
            with _within(member.label):
                part = link.layer.vjp(g, link.inputs, between, link.options, asked)
            _collect(found, part, member, link)
            if any(name not in part.by_input for name in link.flow):
                _report_cut(found, wrt, member.label)
                break
            g = [part.by_input[name] for name in link.flow]
        return Gradients({name: found.by_input[name] for name in wrt if name in found.by_input}, found.mismatches)

    def links(self, inputs: Inputs, options: Options) -> list[Link]:
        """Return the links at the values that they have for these inputs, so that each can be tried on its own."""
        self.forward(inputs, options)
        assert self._passes is not None
        passes, self._passes = self._passes, None
        return [link for _, link, _ in passes]

    def checkpoint(self, *, now: bool = False) -> Callable[[], None] | None:
        """Remember the objects of all links, as :meth:`gradcheck.layers.objects.ObjectLayer.checkpoint` does."""
        makers = [getattr(member.layer, "checkpoint", None) for member in self.members]
        backs = [back for maker in makers if maker is not None and (back := maker(now=now)) is not None]

        def put_back() -> None:
            for back in backs:
                back()

        return put_back if backs else None

    def fresh(self) -> ChainLayer:
        """Return an equal layer with no memory of earlier calls."""
        return self.renew(Session(fresh=True))

    def renew(self, session: Session) -> ChainLayer:
        """Return an equal layer whose links come from one session."""
        members = []
        for member in self.members:
            again = getattr(member.layer, "renew", None)
            members.append(replace(member, layer=again(session) if callable(again) else member.layer.fresh()))
        return replace(self, members=tuple(members))


def chain_layers(
    recipes: Sequence[Recipe],
    inputs: Sequence[str] | None,
    options: Mapping[str, Plain],
    session: Session,
    name: str | None = None,
) -> ChainLayer:
    """Return the layer that applies others one after the other, first to last.

    The output of a link goes to the input of the next that no input of the chain has claimed by its name; if all are
    claimed, to the first.

    Parameters
    ----------
    recipes
        How the links are built.
    inputs, options
        Names of the arrays, and the options, that there are; each link takes those that it knows.
    session
        In which all links are resolved.
    name
        What the chain is called; the labels of its links by default.

    Raises
    ------
    BindingError
        If an input of a link is left without a value, or an input or option is taken by no link.
    UsageError
        If there are no links.
    """
    if not recipes:
        raise UsageError("a chain needs at least one layer")
    members: list[Member] = []
    for position, recipe in enumerate(recipes):
        layer = recipe.build(None, options, session)
        label = label_of(recipe.label or layer.name, members)
        names = names_of(recipe, layer, label, inputs, first=position == 0)
        members.append(Member(label, layer, names, position == 0))
    members = settle_first(members, inputs)
    known = tuple(dict.fromkeys(name for member in members for name in member.names.values()))
    chain = ChainLayer(name or " -> ".join(member.label for member in members), tuple(members), known)
    for member in members[1:]:
        if not member.free():
            member.flow(1)  # raises; how many outputs there really are is known at the first call
    _check_taken(chain, inputs or (), options)
    if inputs is not None:
        chain.inputs = tuple(dict.fromkeys((*(item for item in inputs if item in known), *known)))
    return chain


def _check_taken(chain: ChainLayer, inputs: Sequence[str], options: Mapping[str, Plain]) -> None:
    for what, given, known in (("input", inputs, chain.inputs), ("option", list(options), chain.options)):
        for name in given:
            if name not in known and not (what == "option" and name in AXES):
                raise BindingError(
                    f"no link of the chain takes the {what} {name!r}{hint(name, known)}",
                    f"they take {', '.join(known) or 'none'}",
                )


def _step(member: Member, outputs: tuple[Array, ...], inputs: Inputs, options: Options) -> Link:
    flow = member.flow(len(outputs))
    values = dict(zip(flow, outputs, strict=True))
    values |= {own: inputs[name] for own, name in member.names.items() if name in inputs}
    ordered = {name: values[name] for name in member.layer.inputs if name in values}
    known = {*member.layer.options, *(AXES if set(AXES) & set(member.layer.options) else ())}
    chosen = {name: value for name, value in options.items() if name in known}
    return Link(member.label, member.layer, ordered, chosen, flow, member.names)


def _collect(found: Gradients, part: Gradients, member: Member, link: Link) -> None:
    """Add the gradients of one link to those of the chain, under the chain's names."""
    for own, value in part.by_input.items():
        if own not in link.flow:
            name = member.names[own]
            found.by_input[name] = np.asarray(np.add(found.by_input[name], value)) if name in found.by_input else value
    for item in part.mismatches:
        message = f"in the link {member.label!r}: {item.message}"
        found.mismatches.append(Mismatch(item.rule, message, member.names.get(item.wrt or ""), item.remedy))


def _report_cut(found: Gradients, wrt: Sequence[str], label: str) -> None:
    for name in wrt:
        if name not in found.by_input and not any(item.wrt == name for item in found.mismatches):
            message = f"no gradient reached {name}: the link {label!r} handed none back"
            found.mismatches.append(Mismatch(MISSING, message, name))


@contextmanager
def _within(label: str) -> Iterator[None]:
    """Say in which link the user's code raised."""
    try:
        yield
    except LayerError as error:
        raise LayerError(f"in the link {label!r}: {error.message}", error.trace) from None
