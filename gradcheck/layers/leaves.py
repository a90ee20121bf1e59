"""The parents of a node on trial: leaves that hold an array each, and collect what is added to their gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gradcheck.errors import BindingError
from gradcheck.layers.calling import name_of
from gradcheck.layers.protocol import Array
from gradcheck.layers.roles import VAR_KEYWORD, VAR_POSITIONAL, Plan, Slot, read_slots
from gradcheck.layers.vocabulary import UPSTREAM, normalise


class Leaf:
    """A stand-in for a parent node whose own class cannot be made from a bare array.

    Parameters
    ----------
    value, gradient
        Names of the attributes for the array and for its gradient, which begins as zeros.
    array
        The array.
    """

    def __init__(self, value: str, gradient: str, array: Array) -> None:
        setattr(self, value, array)
        setattr(self, gradient, zeros_for(array))

    def _ignore(self, *_: object) -> None:
        """Do nothing: a leaf has no parents."""

    back = backward = _back = _backward = _ignore


def make_leaf(kinds: Sequence[type], value: str, gradient: str, array: Array, *, keep_gradient: bool = False) -> object:
    """Return a node for an array: of the author's own class where one can be made of a bare array.

    Parameters
    ----------
    kinds
        Classes that are tried in turn.
    value, gradient
        Names of the attributes for the array and its gradient.
    array
        The array.
    keep_gradient
        Whether a gradient of ``None`` is left as it is, rather than set to zeros.
    """
    for kind in kinds:
        try:
            leaf = kind(array)
            held = getattr(leaf, value)
            fits = np.shape(held) == array.shape and np.array_equal(held, array, equal_nan=array.dtype.kind in "fc")
            if not fits:
                continue
            if getattr(leaf, gradient, None) is None and not keep_gradient:
                setattr(leaf, gradient, zeros_for(array))
        except Exception:  # noqa: BLE001  a class that is not meant to be made so may raise anything
            continue
        return leaf
    return Leaf(value, gradient, array)


def parents_for(
    back: Callable[..., object], plan: Plan, inputs: Sequence[str], leaves: Mapping[str, object], g: object
) -> list[object]:
    """Return the arguments of a node's backward method: parents by name or in order, or the upstream.

    Raises
    ------
    BindingError
        If an argument is neither.
    """
    slots = read_slots(back) or []
    by_name = {slot.name: slot.roles[0].name for slot in plan.slots if slot.roles}
    arguments: list[object] = []
    left: list[Slot] = []
    for slot in slots:
        if slot.kind is VAR_POSITIONAL:
            arguments += [leaves[name] for name in inputs]
        elif slot.kind is VAR_KEYWORD or not slot.required:
            continue
        elif by_name.get(slot.name, slot.name) in leaves:
            arguments.append(leaves[by_name.get(slot.name, slot.name)])
        elif normalise(slot.name) in UPSTREAM:
            arguments.append(g)
        else:
            left.append(slot)
    if left and not arguments and len(left) == len(inputs):
        return [leaves[name] for name in inputs]
    if left:
        answers = ", ".join((*inputs, "or a usual word for the upstream"))
        raise BindingError(
            f"the argument {left[0].name} of `{name_of(back)}` stands for no parent of the node",
            f"call it {answers}, or take all parents in order",
        )
    return arguments


def zeros_for(array: Array) -> Array:
    """Return zeros of an array's shape, in its dtype if that is a floating-point one."""
    return np.zeros(array.shape, array.dtype if array.dtype.kind in "fc" else np.float64)


def choose_attribute(said: str, usual: Sequence[str], words: frozenset[str]) -> str:
    """Return the name of an attribute: as said, unless the class's code does not know it but a usual other one."""
    if normalise(said) in words:
        return said
    known = [name for name in usual if normalise(name) in words]
    return known[0] if len(known) == 1 else said
