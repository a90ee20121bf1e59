"""``gradcheck init``."""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path

import click

from gradcheck.cli import options
from gradcheck.cli.repeat import quoted
from gradcheck.cli.screen import Screen
from gradcheck.errors import UsageError
from gradcheck.model import Case

SCHEMA = "case.schema.json"
HEAD = """\
# yaml-language-server: $schema={schema}
# Written by `gradcheck init`, which has read {file} and run nothing of it. What is called a guess is to be looked at.
version: 1
cases:
"""


@click.command("init")
@click.argument("file", type=click.Path(), metavar="FILE.py")
@click.option(
    "-o", "--output", type=click.Path(), metavar="PATH", help="The case file to be written (cases/NAME.yaml)."
)
@click.option("--force", is_flag=True, help="Overwrite the case file if there is one.")
@options.declare(options.debug)
def command(file: str, output: str | None, force: bool) -> int:
    """Write a case file for the layers of a Python file.

    Forward and backward are found by their names, in pairs of functions (softmax and softmax_backward, f and df,
    forward and backward ...) and in classes, those of torch.autograd.Function too. The file is read, not imported:
    shapes and options that its text does not say are guesses, marked as such. Beside the case file goes the schema
    that its first line names, for editors.
    """
    from gradcheck.casefile.parse import load_text
    from gradcheck.report.formats import check_folder, write_file

    source = Path(file)
    target = Path(output) if output else _default(source)
    if target.exists() and not force:
        raise UsageError(f"{str(target)!r} is there already", "give --force to overwrite it, or --output PATH")
    text, cases, problems = draft_cases(source, target)
    if not output:
        target.parent.mkdir(parents=True, exist_ok=True)
    check_folder(str(target))
    load_text(text, str(target), base=os.path.abspath(target.parent))
    write_file(str(target), text)
    _write_schema(target.parent / SCHEMA)
    screen = Screen.open("never")
    for problem in problems:
        screen.warn(problem)
    number = f"{len(cases)} {'case' if len(cases) == 1 else 'cases'}"
    screen.print(f"wrote {target}: {number} ({', '.join(case.name for case in cases)})")
    screen.print(f"next: gradcheck run {quoted(str(target))}")
    return 0


def draft_cases(source: Path, target: Path) -> tuple[str, list[Case], list[str]]:
    """Return the text of a case file for a Python file, its cases, and what no case could be made of.

    Raises
    ------
    UsageError
        If the file cannot be read, is no Python, or holds nothing that looks like a forward with a backward.
    """
    from gradcheck.casefile.show import dump
    from gradcheck.cli.draft.scan import scan
    from gradcheck.cli.draft.sketch import sketch

    reference = Path(os.path.relpath(source, target.parent)).as_posix()
    result = scan(_read(source))
    problems = [f"{file_line(source, line)}: {name} has no forward that it belongs to" for name, line in result.alone]
    blocks: list[str] = []
    cases: list[Case] = []
    for found in result.found:
        try:
            made = sketch(found, reference, result.constants)
        except (UsageError, RecursionError) as error:
            why = error.message if isinstance(error, UsageError) else "its text is too deeply nested"
            problems.append(f"{file_line(source, found.line)}: no case for {found.name}: {why}")
            continue
        made.case.name = _unused(made.case.name, found.backward.name, [case.name for case in cases])
        guesses = f"  # guesses: {'; '.join(made.guesses)}\n" if made.guesses else ""
        blocks.append(guesses + dump(made.case).partition("cases:\n")[2])
        cases.append(made.case)
    if not cases:
        help_ = "; ".join(problems) or "pairs are called like softmax and softmax_backward, or forward and backward"
        raise UsageError(f"{str(source)!r} holds no forward with a backward that a case could be made of", help_)
    return HEAD.format(schema=SCHEMA, file=source.name) + "\n".join(blocks), cases, problems


def file_line(source: Path, line: int) -> str:
    """Return a place as editors jump to it."""
    return f"{source}:{line}"


def _read(source: Path) -> ast.Module:
    try:
        return ast.parse(source.read_bytes(), str(source))
    except OSError as error:
        raise UsageError(f"cannot read {str(source)!r}: {error.strerror or error}") from None
    except SyntaxError as error:
        raise UsageError(f"{file_line(source, error.lineno or 1)}: no Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{str(source)!r} is no Python: {error}") from None


def _default(source: Path) -> Path:
    """Return where the case file of a Python file goes: into the project's first folder of cases."""
    from gradcheck.casefile.project import SUFFIXES, find_project

    folders = [folder for folder in find_project(Path.cwd()).folders if folder.suffix not in SUFFIXES]
    folder = Path(os.path.relpath(folders[0])) if folders else Path("cases")
    return folder / f"{source.stem}.yaml"


def _unused(name: str, backward: str, taken: list[str]) -> str:
    """Return a name that no case has yet."""
    ways = [name, re.sub(r"_+", "-", backward.strip("_")).lower(), *(f"{name}-{number}" for number in range(2, 1000))]
    return next(each for each in ways if each not in taken)


def _write_schema(path: Path) -> None:
    """Write the schema beside the case file, unless something of another origin has its name."""
    from gradcheck.casefile.show import json_schema
    from gradcheck.report.formats import write_file

    schema = json_schema()
    try:
        mine = not path.exists() or json.loads(path.read_bytes()).get("title") == schema["title"]
    except (OSError, ValueError, AttributeError):
        mine = False
    if mine:
        write_file(str(path), json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
