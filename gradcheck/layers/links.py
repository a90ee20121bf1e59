"""The links of a chain: what each is called, and which inputs of the chain it takes under which names of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from gradcheck.errors import BindingError
from gradcheck.layers.modules import Session
from gradcheck.layers.protocol import Array, Layer
from gradcheck.model import Plain


@dataclass(frozen=True, slots=True)
class Link:
    """One layer of a chain, at the inputs that it has within it.

    Attributes
    ----------
    label
        What it is called in the chain.
    layer
        The layer itself.
    inputs, options
        What it is called with; those that come from the link before are evaluated.
    flow
        Names of its inputs that come from the link before.
    names
        Names of its other inputs, each with the chain's name for it.
    """

    label: str
    layer: Layer
    inputs: dict[str, Array]
    options: dict[str, Plain]
    flow: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """One layer of a chain, and which inputs of the chain it takes under which names of its own."""

    label: str
    layer: Layer
    names: Mapping[str, str]
    first: bool = False

    def free(self) -> list[str]:
        """Return the names of the inputs that nothing of the chain's claims."""
        return [name for name in self.layer.inputs if name not in self.names and name not in self.layer.defaults]

    def flow(self, number: int) -> tuple[str, ...]:
        """Return the names of the inputs that take the outputs of the link before.

        Raises
        ------
        BindingError
            If there are not as many as outputs.
        """
        if self.first:
            return ()
        free = self.free()
        if len(free) == number:
            return tuple(free)
        raise BindingError(
            f"the link {self.label!r} of the chain is handed {number} output{'' if number == 1 else 's'} "
            f"and has {len(free)} free inputs ({', '.join(free) or 'none'})",
            "name the inputs of the case that it takes besides: `inputs: [NAME]` in the link",
        )


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a link is built: with which names for its inputs (``None``: its own), and with which options.

    Attributes
    ----------
    build
        Returns the layer.
    label
        What it is called, if its author says so.
    names
        Which inputs of the chain it takes besides the output of the link before, if its author says so.
    """

    build: Callable[[Sequence[str] | None, Mapping[str, Plain], Session], Layer]
    label: str | None = None
    names: tuple[str, ...] | None = None


def names_of(recipe: Recipe, layer: Layer, label: str, inputs: Sequence[str] | None, *, first: bool) -> dict[str, str]:
    """Say which inputs of the chain a link takes under which of its own names."""
    needed = [name for name in layer.inputs if name not in layer.defaults]
    held = {name: f"{label}.{name}" for name in layer.inputs if name in layer.defaults}
    if inputs is None and recipe.names is None:
        names = {name: name for name in (needed if first else needed[1:])}
    else:
        offered = tuple(inputs or ()) if recipe.names is None else recipe.names
        names = {name: name for name in needed if name in offered}
        if recipe.names is not None:
            spare = [name for name in recipe.names if name not in names.values()]
            free = [name for name in needed if name not in names][0 if first else 1 :]
            names |= dict(zip(free, spare, strict=False))
        if not first and len(names) == len(needed) and needed:
            del names[needed[0]]
    for own, qualified in held.items():
        names[own] = own if own in (inputs or ()) else qualified
    return names


def settle_first(members: list[Member], inputs: Sequence[str] | None) -> list[Member]:
    """Give an input that no link knows by its name to the first link, where one is missing there."""
    first = members[0]
    taken = {name for member in members for name in member.names.values()}
    left = [name for name in inputs or () if name not in taken]
    free = first.free()
    if len(free) == 1 and len(left) == 1:
        return [replace(first, names={**first.names, free[0]: left[0]}), *members[1:]]
    if free:
        raise BindingError(
            f"the first link {first.label!r} of the chain takes {', '.join(free)}, which the case does not have",
            f"the inputs of the case are {', '.join(inputs or ()) or 'none'}",
        )
    return members


def label_of(name: str, members: Sequence[Member]) -> str:
    """Return the name of a link, with a number behind it where an earlier link has it already."""
    taken = {member.label for member in members}
    return next(text for number in count(1) if (text := name if number == 1 else f"{name}#{number}") not in taken)
