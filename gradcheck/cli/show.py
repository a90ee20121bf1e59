"""``gradcheck show``."""

from __future__ import annotations

import click

from gradcheck.cli import options
from gradcheck.cli.parameters import Word
from gradcheck.cli.screen import Screen
from gradcheck.cli.targets import Target


@click.command("show")
@click.argument("targets", nargs=-1, required=True, type=Target(), metavar="CASE...")
@click.option("--format", "kind", type=Word(("text", "yaml")), default="text", metavar="text|yaml", help="Form.")
@options.declare(options.color, options.debug)
def command(targets: tuple[str, ...], kind: str, color: str) -> int:
    """Show a case: its layer, inputs, options and what is expected.

    Variants of a matrix are shown together. As yaml each is a case file, ready to be changed. Nothing of the layer is
    imported.
    """
    from gradcheck.casefile.discovery import find
    from gradcheck.report.cases import draw_groups

    screen = Screen.open(color)
    cases = find(targets, load=False)
    if kind == "yaml":
        from gradcheck.casefile.show import dump

        screen.print("\n---\n".join(dump(case).removesuffix("\n") for case in cases))
    else:
        screen.print(draw_groups(cases, width=screen.width, color=screen.color))
    return 0
