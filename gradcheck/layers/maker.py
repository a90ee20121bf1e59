"""How an object is made: what its constructor is given, with the same luck each time."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gradcheck.errors import BindingError, hint
from gradcheck.layers.calling import call, name_of
from gradcheck.layers.modules import equal_arrays, same_random_state
from gradcheck.layers.roles import POSITIONAL_ONLY, VAR_KEYWORD, Slot, read_slots
from gradcheck.layers.vocabulary import AXES


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the instances of a class.

    Attributes
    ----------
    kind
        The class.
    init
        Arguments of the constructor that its author gives.
    options, inputs
        Names of those that come from the case's options, and from its inputs.
    """

    kind: type
    init: Mapping[str, object]
    options: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    def make(self, options: Mapping[str, object], inputs: Mapping[str, object]) -> object:
        """Return a new instance; weights that it draws from the global random state are the same each time.

        Raises
        ------
        LayerError
            If the constructor raises.
        BindingError
            If an input that it needs is not given.
        """
        given = {name: copy.deepcopy(value) for name, value in self.init.items()}
        for name in self.options:
            found = [options[other] for other in _same(name) if other in options]
            if found:
                given[name] = found[0]
        for name in self.inputs:
            if name not in inputs:
                raise BindingError(f"`{name_of(self.kind)}` needs the input {name!r} to be made, which is not given")
            given[name] = inputs[name]
        slots = read_slots(self.kind) or []
        positional = [given.pop(slot.name) for slot in slots if slot.kind is POSITIONAL_ONLY and slot.name in given]
        with same_random_state():
            return call(self.kind, positional, given, role=f"{name_of(self.kind)}(...)")


def plan_making(kind: type, init: Mapping[str, object], options: Collection[str], inputs: Collection[str]) -> Maker:
    """Say where the arguments of a constructor come from.

    Raises
    ------
    BindingError
        If one is missing, or ``init`` names one that there is not.
    """
    slots = read_slots(kind)
    title = name_of(kind)
    if slots is None:
        return Maker(kind, dict(init))
    single = [slot for slot in slots if slot.single]
    names = [slot.name for slot in single]
    if not any(slot.kind is VAR_KEYWORD for slot in slots):
        for name in init:
            if name not in names:
                raise BindingError(
                    f"init names the argument {name!r}, which `{title}` has not{hint(name, names)}",
                    f"the arguments are {', '.join(names) or 'none'}",
                )
    free = [slot for slot in single if slot.name not in init]
    from_options = tuple(slot.name for slot in free if any(name in options for name in _same(slot.name)))
    from_inputs = tuple(slot.name for slot in free if slot.name in inputs and slot.name not in from_options)
    missing = [slot for slot in free if slot.required and slot.name not in (*from_options, *from_inputs)]
    if missing:
        raise _ask(title, missing)
    return Maker(kind, dict(init), from_options, from_inputs)


def twin(instance: object, pristine: object, made: object | None) -> object:
    """Return an equal instance without memory: one that was made anew if its arrays are the same, else a copy."""
    if made is not None and hasattr(made, "__dict__") and hasattr(pristine, "__dict__"):
        if equal_arrays(vars(made), vars(pristine)):
            return made
    elif made is not None:
        return made
    if pristine is None:
        return instance
    try:
        return copy.deepcopy(pristine)
    except Exception:  # noqa: BLE001  __deepcopy__ of the user's
        return instance


def is_static(kind: type, name: str) -> bool:
    """Whether a method needs no instance."""
    return isinstance(inspect.getattr_static(kind, name, None), staticmethod | classmethod)


def chosen(maker: Maker | None, options: Mapping[str, object]) -> dict[str, object]:
    """Return those of the options that the constructor takes."""
    names = {other for name in (maker.options if maker else ()) for other in _same(name)}
    return {name: value for name, value in options.items() if name in names}


def _same(name: str) -> tuple[str, ...]:
    return (name, *(other for other in AXES if other != name)) if name in AXES else (name,)


def _ask(title: str, missing: list[Slot]) -> BindingError:
    names = ", ".join(slot.name for slot in missing)
    lines = ", ".join(f"{slot.name}: ..." for slot in missing)
    python = ", ".join(f"{slot.name}=..." for slot in missing)
    return BindingError(
        f"`{title}` cannot be made without {names}",
        f"init: {{{lines}}}   (in Python: give an instance, {title}({python}))",
    )
