"""Which methods of an object are its forward and its backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType, MethodType

from gradcheck.errors import NameLookupError, hint
from gradcheck.layers.calling import name_of
from gradcheck.layers.maker import is_static
from gradcheck.layers.roles import read_slots

FORWARDS = (
    "forward",
    "compute",
    "forward_pass",
    "fprop",
    "forward_propagation",
    "apply",
    "call",
    "fn",
    "loss",
    "__call__",
)
BACKWARDS = (
    "backward", "delta", "backward_pass", "bprop", "backprop", "backward_propagation", "vjp", "pullback", "gradient",
    "grad", "derivative", "deriv", "prime", "jacobian",
)  # fmt: skip


def has_methods(target: object) -> bool:
    """Whether a class or an instance has a forward and a backward by usual names."""
    return all(any(_has(target, name) for name in names) for names in (FORWARDS, BACKWARDS))


def find_methods(target: object, said: tuple[str | None, str | None]) -> tuple[str, str]:
    """Return the names of the forward and of the backward method: as said, else the first usual ones.

    Raises
    ------
    NameLookupError
        If there is none.
    """
    return (
        _find(target, said[0], FORWARDS, "forward"),
        _find(target, said[1], BACKWARDS, "backward"),
    )


def bare_method(target: object, name: str) -> Callable[..., object]:
    """Return a method as it will be called, with ``self`` already given, also while there is no instance yet."""
    method = getattr(target, name)
    if isinstance(target, type) and not is_static(target, name) and isinstance(method, FunctionType):
        return MethodType(method, target)
    return method  # type: ignore[no-any-return]


def argument_names(functions: Sequence[Callable[..., object]]) -> set[str]:
    """Return the names of all arguments of some functions."""
    return {slot.name for function in functions for slot in read_slots(function) or ()}


def _has(target: object, name: str) -> bool:
    if isinstance(target, type) and name == "__call__":  # every class can be called
        return any("__call__" in vars(base) for base in target.__mro__)
    return callable(getattr(target, name, None))


def _find(target: object, said: str | None, usual: Sequence[str], role: str) -> str:
    title = name_of(target if isinstance(target, type) else type(target))
    public = [name for name in dir(target) if not name.startswith("_") and callable(getattr(target, name, None))]
    listed = f"it has {', '.join(public) or 'none'}"
    if said is not None:
        if _has(target, said):
            return said
        raise NameLookupError(f"`{title}` has no method {said!r}{hint(said, public)}", listed)
    for name in usual:
        if _has(target, name):
            return name
    raise NameLookupError(f"`{title}` has no method {usual[0]!r}", f"say `{role}: NAME`; {listed}")
