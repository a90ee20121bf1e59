"""Options that ``[tool.gradcheck]`` and variables of the environment can give as well as the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from gradcheck.casefile.preferences import BY_NAME, PREFERENCES, TABLE, Preference, misspelt
from gradcheck.casefile.project import complain, find_project
from gradcheck.cli.parameters import Finite, Word
from gradcheck.errors import UsageError
from gradcheck.model import Plain


class Preferred(click.Option):
    """An option made of a preference; what is wrong with its value is said of where that came from."""

    def __init__(self, *arguments: Any, preference: Preference, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.preference = preference

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Convert a value, wherever it comes from."""
        try:
            return super().process_value(ctx, value)
        except (click.BadParameter, UsageError) as error:
            source = ctx.get_parameter_source(str(self.name))
            help_ = error.help if isinstance(error, UsageError) else error.message.rstrip(".")
            if source is ParameterSource.ENVIRONMENT:
                said = os.environ.get(self.preference.variable, value)
                raise UsageError(f"the variable {self.preference.variable} is {said!r}", help_) from None
            if source is ParameterSource.DEFAULT_MAP:
                key = self.preference.name
                raise complain(find_project(Path.cwd()), key, f"[{TABLE}] {key} is {value!r}", help_) from None
            raise


def option(name: str, *flags: str, **more: Any) -> Callable[..., Any]:
    """Return the decorator of the option that a preference makes.

    Parameters
    ----------
    name
        Name of the preference.
    flags
        Further flags, and the name of the function's argument.
    more
        What click is told beside what follows from the preference.
    """
    preference = BY_NAME[name]
    made = {"help": preference.help, "envvar": preference.variable, **_kind(preference), **more}
    return click.option(*flags, f"--{name}", cls=Preferred, preference=preference, **made)


def _kind(preference: Preference) -> dict[str, Any]:
    if preference.kind == "switch":
        return {"is_flag": True}
    if preference.kind == "word":
        return {"type": Word(preference.words), "metavar": preference.name.upper()}
    if preference.kind == "whole":
        return {"type": click.IntRange(min=int(preference.least)), "metavar": "N"}
    return {"type": Finite(min=preference.least, min_open=preference.above), "metavar": "X"}


def is_preference(flag: str) -> bool:
    """Whether an option of the command under way was given by the project or a variable, not on the command line."""
    context = click.get_current_context(silent=True)
    params = context.command.params if context is not None else []
    names = [str(param.name) for param in params if flag in param.opts]
    source = context.get_parameter_source(names[0]) if context is not None and names else None
    return source in (ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)


class _FromProject(Mapping[str, Plain]):
    """What the project around the current folder prefers, by the names of a command's arguments; read when asked."""

    def __init__(self, params: list[click.Parameter]) -> None:
        # What a case may say otherwise is given to the cases that do not, not to the command line.
        named = {str(each.name): each.preference for each in params if isinstance(each, Preferred)}
        self._names = {name: each.name for name, each in named.items() if not each.of_case}
        self._table: Mapping[str, Plain] | None = None

    def __getitem__(self, name: str) -> Plain:
        return self._read()[self._names[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._names and self._names[str(name)] in self._read()

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _read(self) -> Mapping[str, Plain]:
        if self._table is None:
            self._table = find_project(Path.cwd()).preferences
        return self._table


class ProjectCommand(click.Command):
    """A command whose options the project and the environment have a say in."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the command line; a shell that completes one asks nobody else."""
        if extra.get("resilient_parsing"):
            return super().make_context(info_name, args, parent, **extra)
        context = super().make_context(info_name, args, parent, default_map=_FromProject(self.params), **extra)
        for name, meant in misspelt(os.environ):
            click.echo(f"gradcheck: warning: there is no variable {name}; did you mean {meant}?", err=True)
        return context

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, which is the same in every project, and in a faulty one."""
        ctx.default_map = None
        return super().get_help(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write which options can be given in files and variables."""
        names = {each.preference.name for each in self.params if isinstance(each, Preferred)}
        keys = ", ".join(each.name for each in PREFERENCES if each.name in names)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(
                f"A project's own choice, as [{TABLE}] of pyproject.toml or as variables GRADCHECK_NAME: {keys}. "
                "A flag comes before a variable, that before what a case says of itself, that before the file."
            )
