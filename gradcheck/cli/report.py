"""``gradcheck report``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from gradcheck.cli import options as common
from gradcheck.cli.forms import prepare
from gradcheck.cli.parameters import FileKind, Rows, Word
from gradcheck.cli.screen import Screen
from gradcheck.errors import UsageError
from gradcheck.model import Report
from gradcheck.report.formats import FORMATS, check_folder, find_writer, write_file

KINDS = tuple(FORMATS)


@click.command("report")
@click.argument("files", nargs=-1, metavar="FILE.json...")
@click.option("--show", type=Rows(), default=10, metavar="N|all|heatmap", help="Rows of the table (10).")
@click.option("--format", "kind", type=Word(KINDS), default="table", metavar="KIND", help=f"Form: {', '.join(KINDS)}.")
@click.option(
    "--report", "written", type=FileKind(KINDS), multiple=True, metavar="KIND=PATH", help="Also write a file."
)
@click.option("-v", "--verbose", count=True, help="The whole screen for passes and expected failures too.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of such files instead.")
@click.option("--debug", is_flag=True, help="Show tracebacks, the layer's and gradcheck's own.")
@common.declare(common.color)
def command(
    files: tuple[str, ...],
    show: int | Literal["all", "heatmap"],
    kind: str,
    written: tuple[tuple[str, str], ...],
    verbose: int,
    schema: bool,
    debug: bool,
    color: str,
) -> int:
    """Draw runs again that were written with --report json=FILE.json, in any form.

    Several files are drawn as one run; - is the standard input. No layer is run.
    """
    if schema:
        return _print_schema()
    if not files:
        raise UsageError("no file is given", "write one with gradcheck run --report json=FILE.json")
    prepare([kind, *(each for each, _ in written)])
    for _, path in written:
        check_folder(path)
    reports = [report for file in files for report in _read(file)]
    screen = Screen.open(color)
    if kind == "table":
        _draw(reports, screen, show, verbose, debug)
    else:
        screen.print_form(kind, find_writer(kind)(reports).removesuffix("\n"))
    for each, path in written:
        write_file(path, find_writer(each)(reports))
    return 0


def _print_schema() -> int:
    import json

    from gradcheck.report.schema import json_schema

    Screen.open("never").print(json.dumps(json_schema(), indent=2))
    return 0


def _read(file: str) -> list[Report]:
    from gradcheck.report.json import read_json

    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file!r}: {error.strerror or error}") from None
    name = "standard input" if file == "-" else file
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{name}: not UTF-8, so no report of gradcheck") from None
    return read_json(text, name)


def _draw(
    reports: Sequence[Report], screen: Screen, show: int | Literal["all", "heatmap"], verbose: int, debug: bool
) -> None:
    from gradcheck.report.screens import Spacing
    from gradcheck.report.summary import draw_summary
    from gradcheck.report.terminal import draw

    spacing = Spacing()
    for report in reports:
        text = draw(
            report,
            width=screen.width,
            color=screen.color,
            show=show,
            brief=len(reports) > 1,
            verbose=verbose,
            debug=debug,
            blocks=screen.blocks,
        )
        screen.print(spacing.space(text))
    if len(reports) != 1:
        summary = draw_summary(reports, width=screen.width, color=screen.color)
        screen.print(f"\n{summary}" if spacing.used else summary)
