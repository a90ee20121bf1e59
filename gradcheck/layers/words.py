"""What the author says of arguments: the ``bind`` mapping, read and asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from gradcheck.errors import BindingError, hint
from gradcheck.layers.roles import VAR_POSITIONAL, Kind, Plan, Role, Slot

_INDEXED = {"upstream": Kind.UPSTREAM, "output": Kind.OUTPUT}
_SLICED = ("input-slice", "output-slice")
_PLAIN = {"cache": Kind.CACHE, "context": Kind.CONTEXT}


def find_word(bind: Mapping[str, str], side: str, slot: Slot, position: int) -> str | None:
    """Return what `bind` says of one argument, by its name or position, perhaps only for one side.

    ``bind: {backward.y: output}`` speaks of the argument `y` of the backward alone, ``bind: {0: upstream}`` of the
    first argument, whatever it is called.
    """
    for key in (f"{side}.{slot.name}", slot.name, f"{side}.{position}", str(position)):
        if key in bind:
            return bind[key]
    return None


def read_word(word: str, slot: Slot, title: str, inputs: Sequence[str] | None, options: Collection[str]) -> list[Role]:
    """Turn what `bind` says of one argument into roles: several, after commas, for ``*args`` only.

    Raises
    ------
    BindingError
        If it names nothing.
    """
    words = [part.strip() for part in str(word).split(",")]
    if len(words) > 1 and slot.kind is not VAR_POSITIONAL:
        raise BindingError(f"bind gives the argument {slot.name!r} of `{title}` several values: {word}")
    roles: list[Role] = []
    for part in words:
        roles += _read_part(part, slot, title, inputs, options)
    return roles


def _read_part(word: str, slot: Slot, title: str, inputs: Sequence[str] | None, options: Collection[str]) -> list[Role]:
    head, colon, tail = word.partition(":")
    head, tail = head.strip(), tail.strip()
    known = tuple(inputs or ())
    if head in _INDEXED and (not colon or tail.isdecimal()):
        return [Role(_INDEXED[head], index=int(tail) if colon else None)]
    if head in _SLICED:
        return [
            replace(role, sliced=True)
            for role in _read_part(word.replace("-slice", "", 1), slot, title, inputs, options)
        ]
    if colon and head == "option" and tail:
        return [Role(Kind.OPTION, tail)]
    if colon and head == "input" and tail:
        if inputs is not None and tail not in known:
            raise _unknown(word, tail, slot, title, known)
        return [Role(Kind.INPUT, tail)]
    if not colon and word in known:
        return [Role(Kind.INPUT, word)]
    if not colon and word in options:
        return [Role(Kind.OPTION, word)]
    if word == "inputs":
        if slot.kind is VAR_POSITIONAL:
            return [Role(Kind.INPUT, name) for name in known]
        return [Role(Kind.INPUTS, names=known)]
    if word in _PLAIN:
        return [Role(_PLAIN[word])]
    if inputs is None and word.isidentifier():
        return [Role(Kind.INPUT, word)]
    raise _unknown(word, word, slot, title, (*known, *options, *_INDEXED, "inputs", *_PLAIN))


def _unknown(word: str, name: str, slot: Slot, title: str, known: Iterable[str]) -> BindingError:
    names = tuple(dict.fromkeys(known))
    return BindingError(
        f"bind: {{{slot.name}: {word}}} of `{title}` names nothing that there is{hint(name, names)}",
        f"say upstream, output, input:NAME or option:NAME, where NAME is one of {', '.join(names) or '(no names)'}",
    )


def check_bind(bind: Mapping[str, str], plans: Mapping[str, Plan]) -> None:
    """Refuse keys of `bind` that are arguments of none of the functions.

    Parameters
    ----------
    bind
        Argument to meaning.
    plans
        Plans by side: ``forward``, ``backward``.

    Raises
    ------
    BindingError
        If there is one.
    """
    known: list[str] = []
    for side, plan in plans.items():
        for position, slot in enumerate(plan.slots):
            known += [slot.name, f"{side}.{slot.name}", str(position), f"{side}.{position}"]
    for key in bind:
        if key not in known:
            titles = " and ".join(dict.fromkeys(f"`{plan.title}`" for plan in plans.values()))
            verb = "have" if " and " in titles else "has"
            names = dict.fromkeys(slot.name for plan in plans.values() for slot in plan.slots)
            raise BindingError(
                f"bind names the argument {key!r}, which {titles} {verb} not{hint(key, names)}",
                f"the arguments are {', '.join(names) or 'none'}",
            )


def ask(slot: Slot, title: str, why: str, answers: Sequence[str]) -> BindingError:
    """Return the error for an argument that could mean several things, with the lines that would settle it.

    Parameters
    ----------
    slot
        The argument.
    title
        The function it belongs to.
    why
        What is wrong with it.
    answers
        What it could be, the likeliest first.
    """
    star = "*" if slot.kind is VAR_POSITIONAL else ""
    message = f"the argument {star}{slot.name!s} of `{title}` {why}"
    lines = [f"bind: {{{slot.name}: {_quote(answer)}}}" for answer in answers]
    python = f'bind={{"{slot.name}": "{answers[0]}"}}' if answers else ""
    return BindingError(message, f"{'   or   '.join(lines)}   (in Python: {python})" if answers else "")


def _quote(answer: str) -> str:
    return f'"{answer}"' if "," in answer else answer
