"""What an argument stands for, and how a call is put together from that."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from gradcheck.errors import BindingError
from gradcheck.layers.outputs import Returned, collect
from gradcheck.layers.protocol import Array
from gradcheck.layers.vocabulary import AXES
from gradcheck.model import Plain

POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY
VAR_POSITIONAL = inspect.Parameter.VAR_POSITIONAL
VAR_KEYWORD = inspect.Parameter.VAR_KEYWORD
EMPTY = inspect.Parameter.empty


class Kind(str, Enum):
    """What an argument stands for."""

    INPUT = "input"
    INPUTS = "inputs"
    OPTION = "option"
    UPSTREAM = "upstream"
    OUTPUT = "output"
    CACHE = "cache"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Role:
    """What one argument stands for.

    Attributes
    ----------
    kind
        Which kind of value.
    name
        Of an input or option.
    index
        Which output, or the upstream of which output; ``None``: all of them, as the forward returned them.
    names
        Names of the inputs that are handed over in one list.
    default
        Of the forward for an option: what a backward is given that asks for it, if the case does not say.
    sliced
        Whether the function is called once for each slice of the array.
    """

    kind: Kind
    name: str = ""
    index: int | None = None
    names: tuple[str, ...] = ()
    default: object = EMPTY
    sliced: bool = False

    def __str__(self) -> str:
        if self.kind in (Kind.INPUT, Kind.OPTION):
            return f"{self.kind.value}:{self.name}"
        return self.kind.value if self.index is None else f"{self.kind.value}:{self.index}"


class Context:
    """What a forward may leave for its backward in the style of ``torch.autograd.Function``: ``ctx``."""

    def __init__(self) -> None:
        self.saved_tensors: tuple[object, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = (True,) * 32

    def save_for_backward(self, *values: object) -> None:
        """Keep values; the backward finds them in ``saved_tensors`` (or ``saved_values``)."""
        self.saved_tensors = values

    @property
    def saved_values(self) -> tuple[object, ...]:
        """The same under the name that MiniTorch uses."""
        return self.saved_tensors


@dataclass(slots=True)
class Values:
    """Everything that a call may be made of."""

    inputs: Mapping[str, object]
    options: Mapping[str, Plain]
    upstream: Sequence[Array] = ()
    outputs: Sequence[Array] = ()
    returned: Returned | None = None
    context: Context | None = None
    slices: Mapping[Role, Array] = field(default_factory=dict)

    def find(self, role: Role) -> object:
        """Return the value that a role stands for, or ``EMPTY`` for an option that is not given."""
        if role.sliced and role in self.slices:
            return self.slices[role]
        if role.kind is Kind.INPUT:
            return self.inputs.get(role.name, EMPTY)
        if role.kind is Kind.INPUTS:
            return [self.inputs[name] for name in role.names]
        if role.kind is Kind.OPTION:
            for name in (role.name, *(AXES if role.name in AXES else ())):
                if name in self.options:
                    return self.options[name]
            return EMPTY
        if role.kind is Kind.UPSTREAM:
            return self._pick(self.upstream, role)
        if role.kind is Kind.OUTPUT:
            return self._pick(self.outputs, role)
        if role.kind is Kind.CACHE:
            return None if self.returned is None else self.returned.cache
        return self.context

    def _pick(self, arrays: Sequence[Array], role: Role) -> object:
        if role.index is None:
            return collect(arrays, self.returned)
        if role.index >= len(arrays):
            count = f"{len(arrays)} output{'' if len(arrays) == 1 else 's'}"
            raise BindingError(f"an argument is bound to {role}, but the forward has {count}; counting begins at 0")
        return arrays[role.index]


@dataclass(slots=True)
class Slot:
    """One parameter of a function, and what it is given; no role: left to its default."""

    name: str
    kind: inspect._ParameterKind
    default: object = EMPTY
    roles: list[Role] = field(default_factory=list)

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is EMPTY and self.kind not in (VAR_POSITIONAL, VAR_KEYWORD)

    @property
    def single(self) -> bool:
        """Whether it takes exactly one value."""
        return self.kind not in (VAR_POSITIONAL, VAR_KEYWORD)


@dataclass(slots=True)
class Plan:
    """How a function is called.

    Attributes
    ----------
    title
        What the function is called on screen.
    slots
        Its parameters in order, each with its roles.
    """

    title: str
    slots: list[Slot]

    def roles(self) -> Iterator[Role]:
        """Yield every role in the order of the parameters."""
        for slot in self.slots:
            yield from slot.roles

    def has(self, kind: Kind) -> bool:
        """Whether some argument is of a kind."""
        return any(role.kind is kind for role in self.roles())

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Names of the inputs, or options, that are handed over, in the order of the parameters."""
        found: list[str] = []
        for role in self.roles():
            found += [role.name] if role.kind is kind else []
            found += role.names if role.kind is Kind.INPUTS and kind is Kind.INPUT else ()
        return tuple(dict.fromkeys(found))

    def arguments(self, values: Values) -> tuple[list[object], dict[str, object]]:
        """Return positional and keyword arguments of the call.

        Raises
        ------
        BindingError
            If an option is needed that is not given.
        """
        positional: list[object] = []
        keywords: dict[str, object] = {}
        last = self._last_by_position()
        skipped = False
        for place, slot in enumerate(self.slots):
            if slot.kind is VAR_POSITIONAL:
                positional += [self._value(slot, role, values) for role in slot.roles]
            elif slot.kind is VAR_KEYWORD:
                found = {role.name: values.find(role) for role in slot.roles}
                keywords.update({name: value for name, value in found.items() if value is not EMPTY})
            else:
                value = self._value(slot, slot.roles[0], values) if slot.roles else EMPTY
                value = slot.default if value is EMPTY and place <= last else value
                if value is EMPTY:  # the function's own default holds
                    skipped = True
                elif slot.kind is KEYWORD_ONLY or (skipped and slot.kind is not POSITIONAL_ONLY):
                    keywords[slot.name] = value
                else:
                    positional.append(value)
        return positional, keywords

    def _last_by_position(self) -> int:
        """Position of the last parameter before which none may be skipped."""
        return max(
            (
                place
                for place, slot in enumerate(self.slots)
                if slot.roles and slot.kind in (VAR_POSITIONAL, POSITIONAL_ONLY)
            ),
            default=-1,
        )

    def _value(self, slot: Slot, role: Role, values: Values) -> object:
        value = values.find(role)
        if value is not EMPTY or not slot.required:
            return value
        if role.default is not EMPTY:
            return role.default
        if role.kind is Kind.OPTION:
            raise BindingError(
                f"`{self.title}` needs the option {role.name!r}, which is not given", f"options: {{{role.name}: ...}}"
            )
        raise BindingError(f"`{self.title}` needs the input {role.name!r}, which is not given")


def read_slots(function: Callable[..., object]) -> list[Slot] | None:
    """Return the parameters of a function, or ``None`` if they cannot be read."""
    if isinstance(function, np.ufunc):
        names = ["x"] if function.nin == 1 else [f"x{number}" for number in range(1, function.nin + 1)]
        return [Slot(name, POSITIONAL_ONLY) for name in names]
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return None
    return [Slot(item.name, item.kind, item.default) for item in signature.parameters.values()]
