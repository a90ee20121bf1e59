"""The arguments of a backward: which of them is the upstream, which the output, which an input of the layer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from gradcheck.errors import BindingError
from gradcheck.layers.binding import fill_stars
from gradcheck.layers.roles import EMPTY, POSITIONAL_ONLY, VAR_POSITIONAL, Kind, Plan, Role, Slot, read_slots
from gradcheck.layers.vocabulary import (
    AXES,
    CACHE,
    CONTEXT,
    INPUT,
    LISTS,
    OUTPUT,
    UPSTREAM,
    WEAK_UPSTREAM,
    normalise,
    split_number,
)
from gradcheck.layers.words import ask, find_word, read_word


def bind_backward(
    function: Callable[..., object],
    title: str,
    forward: Plan,
    inputs: Sequence[str],
    options: Collection[str],
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    side: str = "backward",
) -> Plan:
    """Say what each argument of a backward stands for.

    Parameters
    ----------
    function
        The backward.
    title
        What it is called in messages.
    forward
        Plan of the forward: arguments of one name stand for the same in both.
    inputs, options
        Names of the arrays, and of the options, that there are.
    bind
        What the author says.
    returns
        What the backward returns; only a ``vjp`` takes an upstream.
    side
        Key of ``bind`` entries for this function alone.

    Raises
    ------
    BindingError
        If an argument could mean two things, or nothing, or if none is the upstream.
    """
    slots = read_slots(function)
    if slots is None:
        slots = _invent_slots(title, inputs, bind or {}, returns, side)
    search = _Search(Plan(title, slots), forward, tuple(inputs), tuple(options), bind or {}, returns, side)
    search.take_said_and_known()
    search.take_caches()
    if returns == "vjp":
        search.take_upstream()
    search.take_outputs()
    search.take_inputs()
    search.take_what_is_left()
    fill_stars(search.plan, inputs, [name for name in options if name in forward.names(Kind.OPTION)])
    return search.plan


class _Search:
    """The arguments of one backward, claimed step by step."""

    def __init__(
        self,
        plan: Plan,
        forward: Plan,
        inputs: tuple[str, ...],
        options: tuple[str, ...],
        bind: Mapping[str, str],
        returns: str,
        side: str,
    ) -> None:
        self.plan, self.forward, self.inputs, self.options = plan, forward, inputs, options
        self.bind, self.vjp, self.side = bind, returns == "vjp", side
        self.first_number: int | None = None
        self.alias = {slot.name: slot for slot in forward.slots if slot.single and len(slot.roles) == 1}

    def open(self, *, required: bool = False) -> list[Slot]:
        """Arguments without a role."""
        return [slot for slot in self.plan.slots if slot.single and not slot.roles and (slot.required or not required)]

    def unbound(self) -> list[str]:
        """Inputs that no argument stands for yet."""
        return [name for name in self.inputs if name not in self.plan.names(Kind.INPUT)]

    def take_said_and_known(self) -> None:
        """Claim what ``bind`` speaks of, and what has the name of an input or an option."""
        for position, slot in enumerate(self.plan.slots):
            word = find_word(self.bind, self.side, slot, position)
            if word is not None:
                slot.roles = read_word(word, slot, self.plan.title, self.inputs, self._option_names())
            elif slot.single:
                slot.roles = self._known(slot.name)
        for slot in self.open(required=True):
            same = [name for name in self.unbound() if normalise(name) == normalise(slot.name)]
            if len(same) == 1:
                slot.roles = [Role(Kind.INPUT, same[0])]

    def _option_names(self) -> tuple[str, ...]:
        return (*self.options, *self.forward.names(Kind.OPTION))

    def _known(self, name: str) -> list[Role]:
        if name in self.inputs:
            return [Role(Kind.INPUT, name)]
        if name in self.alias and self.alias[name].roles[0].kind is not Kind.CONTEXT:
            slot = self.alias[name]
            role = slot.roles[0]
            return [Role(Kind.OPTION, role.name, default=slot.default)] if role.kind is Kind.OPTION else [role]
        if name in self._option_names():
            return [Role(Kind.OPTION, name)]
        if name in AXES:
            defaults = [self.alias[other].default for other in AXES if other in self.alias]
            return [Role(Kind.OPTION, name, default=defaults[0] if defaults else EMPTY)]
        return []

    def take_caches(self) -> None:
        """Claim what the forward left: a context, or a cache that it returned beside its output."""
        for slot in self.open(required=True):
            word = normalise(slot.name)
            if word in CONTEXT and self.forward.has(Kind.CONTEXT):
                slot.roles = [Role(Kind.CONTEXT)]
            elif word in CACHE | CONTEXT:
                slot.roles = [Role(Kind.CACHE)]

    def take_upstream(self) -> None:
        """Claim the upstream by its usual names."""
        if self.plan.has(Kind.UPSTREAM):
            return
        title = normalise(self.forward.title.rpartition(".")[2])
        built = {f"d{title}", f"grad{title}", f"{title}grad", f"g{title}"}
        for words in (UPSTREAM | built, WEAK_UPSTREAM):
            found = [
                slot for slot in self.open() if normalise(slot.name) in words or split_number(slot.name)[0] in words
            ]
            if found:
                self._claim(found, Kind.UPSTREAM)
                return

    def take_outputs(self) -> None:
        """Claim the output by its usual names, or by that of the forward."""
        if self.plan.has(Kind.OUTPUT):
            return
        title = normalise(self.forward.title.rpartition(".")[2])
        words = OUTPUT | {title, f"{title}out", f"{title}output", f"{title}value", f"{title}x", f"{title}result"}
        found = [
            slot
            for slot in self.open()
            if (normalise(slot.name) in words or split_number(slot.name)[0] in words)
            # `out=None` is where numpy's functions write to, not where they read from
            and (slot.required or slot.name != "out")
        ]
        if found:
            self._claim(found, Kind.OUTPUT)

    def _claim(self, found: list[Slot], kind: Kind) -> None:
        needed = [slot for slot in found if slot.required]
        found = needed if len(needed) == 1 else found
        if len(found) == 1:
            number = split_number(found[0].name)[1]
            numbered = self.first_number is not None and number is not None
            found[0].roles = [Role(kind, index=(number or 0) - (self.first_number or 0) if numbered else None)]
            return
        stems = {split_number(slot.name)[0] for slot in found}
        numbers = [split_number(slot.name)[1] for slot in found]
        if len(stems) == 1 and None not in numbers and len(set(numbers)) == len(numbers):
            self.first_number = min(number for number in numbers if number is not None)
            for index, slot in enumerate(sorted(found, key=lambda slot: split_number(slot.name)[1] or 0)):
                slot.roles = [Role(kind, index=index)]
            return
        others = " or ".join(slot.name for slot in found[1:])
        raise ask(found[0], self.plan.title, f"could be the {kind.value}, and so could {others}", [kind.value])

    def take_inputs(self) -> None:
        """Claim inputs that the backward calls otherwise than the forward, where only one thing can be meant."""
        left = self.unbound()
        slots = self.open(required=True)
        if len(self.inputs) == len(left) == 1:
            named = [slot for slot in slots if normalise(slot.name) in INPUT]
            if len(named) == 1:
                named[0].roles = [Role(Kind.INPUT, left[0])]
        elif len(left) == len(self.inputs) > 1:
            named = [slot for slot in slots if normalise(slot.name) in LISTS]
            if len(named) == 1:
                named[0].roles = [Role(Kind.INPUTS, names=self.inputs)]
        left, slots = self.unbound(), self.open(required=True)
        settled = self.plan.has(Kind.OUTPUT) and (not self.vjp or self.plan.has(Kind.UPSTREAM))
        if len(slots) == len(left) == 1 and settled:
            slots[0].roles = [Role(Kind.INPUT, left[0])]
        elif not self.vjp and slots and len(slots) == len(left) and all(slot.kind is POSITIONAL_ONLY for slot in slots):
            for slot, name in zip(slots, left, strict=True):
                slot.roles = [Role(Kind.INPUT, name)]

    def take_what_is_left(self) -> None:
        """Take a last argument for the upstream if there is none yet; ask for all others."""
        left = self.open(required=True)
        missing = self.vjp and not self.plan.has(Kind.UPSTREAM)
        if missing and len(left) == 1:
            left[0].roles = [Role(Kind.UPSTREAM)]
            return
        if left:
            answers = [f"input:{name}" for name in self.unbound()]
            answers += [] if self.plan.has(Kind.OUTPUT) else ["output"]
            answers = ["upstream", *answers] if missing else answers
            if answers:
                raise ask(left[0], self.plan.title, f"could be {_join([_say(answer) for answer in answers])}", answers)
            raise BindingError(
                f"the argument {left[0].name} of `{self.plan.title}` stands for nothing that there is",
                f"if it is an option, give it: options: {{{left[0].name}: ...}}",
            )
        if missing:
            raise self._no_upstream()

    def _no_upstream(self) -> BindingError:
        for slot in self.plan.slots:
            if slot.kind is VAR_POSITIONAL and not slot.roles:
                why = "does not say where the upstream comes"
                return ask(slot, self.plan.title, why, ["upstream, inputs", "inputs, upstream"])
        return BindingError(
            f"no argument of `{self.plan.title}` is the upstream",
            "say which one is, for instance bind: {ARGUMENT: upstream}; a function that takes none says what it "
            "returns: `returns: gradient` (of a scalar loss), `derivative` (elementwise) or `jacobian`",
        )


def _say(answer: str) -> str:
    kind, _, name = answer.partition(":")
    return f"the input {name!r}" if name else f"the {kind}"


def _join(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}"


def _invent_slots(title: str, inputs: Sequence[str], bind: Mapping[str, str], returns: str, side: str) -> list[Slot]:
    """Return the arguments of a builtin that cannot be read: as many as ``bind`` numbers, else the inputs."""
    numbers = [key.removeprefix(f"{side}.") for key in bind]
    count = max((int(number) + 1 for number in numbers if number.isdecimal()), default=0)
    if not count and returns == "vjp":
        raise BindingError(
            f"the arguments of `{title}` cannot be read",
            'number them: bind: {0: upstream, 1: input:NAME}   (in Python: bind={"0": "upstream", "1": "input:NAME"})',
        )
    return [Slot(str(position), POSITIONAL_ONLY) for position in range(count or len(inputs))]
