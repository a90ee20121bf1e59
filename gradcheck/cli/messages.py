"""What is said when something cannot be done: one form for every error, on stderr."""

from __future__ import annotations

import click

from gradcheck.errors import CaseFileError, UsageError
from gradcheck.report.escape import disarm, visible, visible_lines
from gradcheck.report.ink import FAINT, Line, render


def write_error(error: UsageError, *, color: bool = False) -> str:
    """Return a usage error as it is printed: ``gradcheck: error: ...`` and its line of help."""
    if isinstance(error, CaseFileError):
        lines = [Line(text) for text in visible_lines(str(error))]
        number = len(error.complaints)
        where = "case files"
        if all(complaint.file.endswith(".toml") for complaint in error.complaints):
            where = "pyproject.toml"
        lines += [Line(), _lead(color).add(f"{number} {'complaint' if number == 1 else 'complaints'} in {where}")]
        return disarm(render(lines, color=color))
    first, *more = visible_lines(error.message) or [""]
    lines = [_lead(color).add(first), *(Line(f"  {text}") for text in more)]
    if error.help:
        first, *more = visible_lines(error.help)
        lines += [Line("  = help: ", FAINT).add(first), *(Line(f"          {text}") for text in more)]
    return disarm(render(lines, color=color))


def translate(error: click.ClickException, command: str = "gradcheck") -> UsageError:
    """Return an error of click's in our words; ``command`` is the one whose help is offered."""
    page = f"see {command} --help"
    if isinstance(error, click.NoSuchOption):
        near = error.possibilities or []
        return UsageError(f"no such option {error.option_name!r}", f"did you mean {near[0]!r}?" if near else page)
    message = error.format_message().strip().removesuffix(".")
    return UsageError(message[:1].lower() + message[1:], page)


def write_internal(error: BaseException, *, color: bool = False) -> str:
    """Return what is said of an error that is gradcheck's own fault."""
    said = visible(str(error).partition("\n")[0])
    return write_error(
        UsageError(
            f"internal error: {type(error).__name__}: {said}",
            "this is a bug in gradcheck, not in the layer; --debug shows where",
        ),
        color=color,
    )


def _lead(color: bool) -> Line:
    return Line("gradcheck: ").add("error: ", "bold red" if color else "")
