"""Arguments bound by name: what each argument of a forward and of its backward stands for.

Names are looked at in this order, and the first that fits wins: what ``bind`` says; an input of the layer (one that is
called ``y`` or ``g`` stays an input); an option; the usual words for the upstream, the output, a cache, a context.
An argument that is left is bound by its place only where it cannot be anything else. All the rest is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from gradcheck.errors import BindingError, hint
from gradcheck.layers.roles import (
    EMPTY,
    POSITIONAL_ONLY,
    VAR_KEYWORD,
    VAR_POSITIONAL,
    Kind,
    Plan,
    Role,
    Slot,
    read_slots,
)
from gradcheck.layers.vocabulary import AXES, CONTEXT, LISTS, normalise
from gradcheck.layers.words import ask, find_word, read_word


def bind_forward(
    function: Callable[..., object],
    title: str,
    inputs: Sequence[str] | None,
    options: Collection[str],
    bind: Mapping[str, str] | None = None,
    side: str = "forward",
) -> Plan:
    """Say what each argument of a forward stands for.

    Parameters
    ----------
    function
        The forward.
    title
        What it is called in messages.
    inputs
        Names of the arrays that there are; ``None``: every argument without a default that is no option is one.
    options
        Names of the options that there are.
    bind
        What the author says.
    side
        Key of ``bind`` entries for this function alone.

    Raises
    ------
    BindingError
        If an argument could mean two things, or nothing.
    """
    bind = bind or {}
    slots = read_slots(function)
    if slots is None:
        return _bind_unreadable(title, inputs, options)
    known = tuple(inputs or ())
    for position, slot in enumerate(slots):
        word = find_word(bind, side, slot, position)
        if word is not None:
            slot.roles = read_word(word, slot, title, inputs, options)
        elif not slot.single:
            continue
        elif slot.name in known:
            slot.roles = [Role(Kind.INPUT, slot.name)]
        elif slot.name in options or slot.name in AXES or not slot.required:
            slot.roles = [Role(Kind.OPTION, slot.name)]
        elif normalise(slot.name) in CONTEXT and position == 0 and len(slots) > 1:
            slot.roles = [Role(Kind.CONTEXT)]
        elif inputs is None:
            slot.roles = [Role(Kind.INPUT, slot.name)]
    plan = Plan(title, slots)
    _place_inputs(plan, known)
    fill_stars(plan, inputs, options)
    for slot in slots:
        if slot.required and not slot.roles:
            raise BindingError(
                f"the argument {slot.name} of `{title}` is given nothing: "
                f"no input or option of that name{hint(slot.name, [*known, *options])}",
                _show_answers(slot, [name for name in known if name not in plan.names(Kind.INPUT)]),
            )
    return plan


def given_names(plan: Plan, inputs: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of a layer's inputs: those that were declared, else those that the forward takes.

    Raises
    ------
    BindingError
        If the forward takes ``*args`` only, which has no names.
    """
    if inputs is not None:
        return tuple(inputs)
    names = plan.names(Kind.INPUT)
    if not names and any(slot.kind is VAR_POSITIONAL for slot in plan.slots):
        raise BindingError(f"`{plan.title}` does not say how its inputs are called", "name the inputs of the case")
    return names


def _bind_unreadable(title: str, inputs: Sequence[str] | None, options: Collection[str]) -> Plan:
    """Plan a call of a builtin whose signature cannot be read: inputs by position, options by name."""
    if inputs is None:
        raise BindingError(f"the arguments of `{title}` cannot be read", "name the inputs of the case, in order")
    slots = [Slot(name, POSITIONAL_ONLY, EMPTY, [Role(Kind.INPUT, name)]) for name in inputs]
    rest = Slot("options", VAR_KEYWORD, EMPTY, [Role(Kind.OPTION, name) for name in options if name not in AXES])
    return Plan(title, [*slots, rest])


def _place_inputs(plan: Plan, known: Sequence[str]) -> None:
    """Give the inputs that no name has claimed to the arguments that are left, where there is one way only."""
    open_slots = [slot for slot in plan.slots if slot.required and not slot.roles]
    left = [name for name in known if name not in plan.names(Kind.INPUT)]
    for slot in list(open_slots):
        same = [name for name in left if normalise(name) == normalise(slot.name)]
        if len(same) == 1:
            slot.roles = [Role(Kind.INPUT, same[0])]
            open_slots.remove(slot)
            left.remove(same[0])
    in_place = len(open_slots) == 1 or all(slot.kind is POSITIONAL_ONLY for slot in open_slots)
    if open_slots and len(open_slots) == len(left) and in_place:
        for slot, name in zip(open_slots, left, strict=True):
            slot.roles = [Role(Kind.INPUT, name)]
    elif len(open_slots) == 1 and len(left) > 1 and len(left) == len(known) and normalise(open_slots[0].name) in LISTS:
        open_slots[0].roles = [Role(Kind.INPUTS, names=tuple(known))]


def fill_stars(plan: Plan, inputs: Sequence[str] | None, options: Collection[str]) -> None:
    """Give ``*args`` the inputs, and ``**kwargs`` the options (and inputs), that nothing else has taken."""
    stars = [slot for slot in plan.slots if slot.kind is VAR_POSITIONAL and not slot.roles]
    doubles = [slot for slot in plan.slots if slot.kind is VAR_KEYWORD and not slot.roles]
    left = [name for name in inputs or () if name not in plan.names(Kind.INPUT)]
    if stars:
        stars[0].roles = [Role(Kind.INPUT, name) for name in left]
        left = []
    if doubles:
        spare = [name for name in options if name not in plan.names(Kind.OPTION)]
        doubles[0].roles = [Role(Kind.OPTION, name) for name in spare] + [Role(Kind.INPUT, name) for name in left]


def _show_answers(slot: Slot, left: Sequence[str]) -> str:
    if not left:
        return f"add an input or an option {slot.name!r} to the case"
    return ask(slot, "", "", [f"input:{name}" for name in left]).help


def check_used(
    inputs: Sequence[str], options: Collection[str], plans: Sequence[Plan], others: Collection[str] = ()
) -> None:
    """Refuse inputs and options of a case that no function of the layer takes.

    ``axis`` (or ``dim``) may be left over: then it only says how the table is cut into slices.

    Raises
    ------
    BindingError
        If there is one.
    """
    taken = {name for plan in plans for kind in (Kind.INPUT, Kind.OPTION) for name in plan.names(kind)} | set(others)
    titles = " nor ".join(dict.fromkeys(f"`{plan.title}`" for plan in plans))
    start = "neither " if " nor " in titles else ""
    verb = "takes" if start else "does not take"
    free = [slot.name for plan in plans for slot in plan.slots if slot.single]
    for what, names in (("input", inputs), ("option", options)):
        for name in names:
            if name not in taken and not (what == "option" and name in AXES):
                raise BindingError(
                    f"{start}{titles} {verb} the {what} {name!r}{hint(name, free)}",
                    f"the arguments are {', '.join(dict.fromkeys(free)) or 'none'}",
                )
