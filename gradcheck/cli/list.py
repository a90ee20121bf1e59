"""``gradcheck list``."""

from __future__ import annotations

import click

from gradcheck.cli import options
from gradcheck.cli.screen import Screen
from gradcheck.cli.targets import Target


@click.command("list")
@click.argument("targets", nargs=-1, type=Target(), metavar="[TARGET]...")
@options.declare(options.expression, options.tags)
@click.option("-v", "--verbose", is_flag=True, help="Also where each is, what is expected, and tags.")
@options.declare(options.color, options.debug)
def command(targets: tuple[str, ...], expression: str, tags: tuple[str, ...], verbose: bool, color: str) -> int:
    """List the cases of the project and the layers that are installed, or the cases of each TARGET.

    Nothing of the layers is imported.
    """
    from gradcheck.casefile import discovery
    from gradcheck.report.cases import draw_cases, draw_places

    screen = Screen.open(color)
    if targets or expression or tags:
        from gradcheck.cli.selection import select

        cases = select(discovery.find(targets, load=False), expression, tags)
        text = draw_cases(cases, verbose=verbose, color=screen.color)
    else:
        listed = [(each.name, each.where, each.summary) for each in discovery.listing()]
        text = draw_places(listed, verbose=verbose, color=screen.color)
    if text:
        screen.print(text)
    return 0
