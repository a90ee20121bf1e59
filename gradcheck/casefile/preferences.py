"""What a project may say about all of its runs: declared once, here; files, variables and flags follow from it.

A flag of the command line comes before a variable ``GRADCHECK_NAME`` of the environment, that before the key ``name``
of ``[tool.gradcheck]`` in ``pyproject.toml``, and that before what the tool itself would choose. What a case says of
itself stands between the variable and the file: a project's tolerance is for cases that have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from gradcheck.casefile.words import kind, quote
from gradcheck.errors import nearest, suggest
from gradcheck.model import METHODS, MODES, Case, Plain

TABLE = "tool.gradcheck"
PREFIX = "GRADCHECK_"
DEFAULT_FOLDERS = ("cases",)

Kind = Literal["whole", "number", "switch", "word", "folders"]


@dataclass(slots=True)
class Preference:
    """One thing that a project may prefer.

    Attributes
    ----------
    name
        Its key in the file; ``--name`` and ``GRADCHECK_NAME`` are its flag and its variable.
    kind
        What it takes: a whole number, a number, ``true`` or ``false``, a word, or a list of folders.
    help
        What it is, in one sentence.
    least
        The smallest number; ``above``: it must be larger than that.
    words
        The words that there are, where they are known here.
    of_case
        Whether a case may say otherwise.
    """

    name: str
    kind: Kind
    help: str
    least: float = 0
    above: bool = False
    words: tuple[str, ...] = ()
    of_case: bool = False

    @property
    def variable(self) -> str:
        """The variable of the environment."""
        return PREFIX + self.name.upper().replace("-", "_")


PREFERENCES = (
    Preference("cases", "folders", "Folders and files of the project's cases."),
    Preference("seed", "whole", "Seed of inputs and upstreams.", of_case=True),
    Preference("mode", "word", f"How much is measured: {', '.join(MODES)}.", words=MODES, of_case=True),
    Preference("method", "word", f"How it is measured: {', '.join(METHODS)}.", words=METHODS, of_case=True),
    Preference("rtol", "number", "Relative difference that is let pass.", of_case=True),
    Preference("atol", "number", "Absolute difference that is let pass.", of_case=True),
    Preference("eps", "number", "Step of the differences.", above=True, of_case=True),
    Preference("budget", "whole", "Forward calls that a case may cost.", 1, of_case=True),
    Preference("timeout", "number", "Seconds that a case may take; 0: no limit.", of_case=True),
    Preference("jobs", "whole", "Cases that are run at the same time.", 1),
    Preference("format", "word", "Form of what is printed."),
    Preference("show", "word", "Rows of the table (10), or a map of every entry."),
    Preference("strict", "switch", "Warnings count as failures."),
    Preference("allow-undecided", "switch", "An undecided case leaves the exit status at 0."),
    Preference("allow-empty", "switch", "Nothing selected is no error."),
    Preference("fail-under", "number", "Share of the bugs, in per cent, that an audit asks for."),
)
BY_NAME = {each.name: each for each in PREFERENCES}

Problem = tuple[str, bool, str, str]
"""A key, whether the key itself is at fault, a message, and what to do about it."""


def check_table(table: Mapping[str, object]) -> Iterator[Problem]:
    """Yield what is wrong with ``[tool.gradcheck]``."""
    for key, value in table.items():
        preference = BY_NAME.get(key)
        if preference is None:
            yield key, True, f"unknown key {quote(key)} in [{TABLE}]", suggest(key, BY_NAME)
        elif problem := _check(preference, value):
            yield key, False, f"[{TABLE}] {key} takes {problem[0]}, not {kind(value)}", problem[1]


def _check(preference: Preference, value: object) -> tuple[str, str] | None:
    """Return what a preference takes and how to write it, if it does not take a value."""
    if preference.kind == "folders":
        fine = isinstance(value, list) and all(isinstance(name, str) for name in value)
        return None if fine else ("a list of folders", f'write {preference.name} = ["cases"]')
    if preference.kind == "switch":
        return None if isinstance(value, bool) else ("true or false", "")
    if preference.kind == "word":
        # `show` is a word or a number; those words that only the command line knows are checked there
        fine = isinstance(value, str) or (preference.name == "show" and type(value) is int)
        if not preference.words or not fine:
            return None if fine else ("a text", "")
        if value in preference.words:
            return None
        return "one of a few words", suggest(value, preference.words)
    types = (int,) if preference.kind == "whole" else (int, float)
    limit = f"above {preference.least:g}" if preference.above else f"from {preference.least:g} on"
    allowed = f"{'a whole number' if preference.kind == 'whole' else 'a number'} {limit}"
    if isinstance(value, bool) or not isinstance(value, types):
        return allowed, f"write {preference.name} = {value}" if _is_number(value) else ""
    fine = value > preference.least if preference.above else value >= preference.least
    return None if fine and value < float("inf") else (allowed, "")


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(value.strip()) and float(value) >= 0
    except ValueError:
        return False


def prefer(case: Case, table: Mapping[str, Plain]) -> Case:
    """Return a case with what its project prefers wherever the case itself says nothing."""
    said = {*case.given, *(key.removeprefix("setting:") for key in case.variant)}
    wanted = {each.name: table[each.name] for each in PREFERENCES if each.of_case and each.name in table}
    wanted = {name: value for name, value in wanted.items() if name not in said}
    if not wanted:
        return case
    timeout = wanted.pop("timeout", case.timeout)
    return replace(case, settings=replace(case.settings, **wanted), timeout=timeout)  # type: ignore[arg-type]


def misspelt(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield variables of the environment that look like a slip in one of ours, each with what was probably meant."""
    variables = {each.variable: each for each in PREFERENCES if each.kind != "folders"}
    for name in environ:
        if name.startswith(PREFIX) and name not in variables and environ[name]:
            # other programs may have variables of such a name: only what differs by a letter or two is a slip
            for near in nearest(name, variables, alike=0.85):
                yield name, near
