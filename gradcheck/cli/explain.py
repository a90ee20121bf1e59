"""``gradcheck explain``."""

from __future__ import annotations

import click

from gradcheck.cli import options
from gradcheck.cli.parameters import Word
from gradcheck.cli.screen import Screen


@click.command("explain")
@click.argument("rule", required=False)
@click.option(
    "--format",
    "kind",
    type=Word(("text", "markdown")),
    default="text",
    metavar="text|markdown",
    help="Form of the page.",
)
@options.declare(options.color, options.debug)
def command(rule: str | None, kind: str, color: str) -> int:
    """Explain a rule: the bug, how it comes about, its formula, what hides it, how it is mended.

    Without a RULE all of them are listed by family.
    """
    from gradcheck.report import pages
    from gradcheck.rules import registry  # rules import numpy

    screen = Screen.open(color)
    if rule is None:
        listing = registry.pages()
        text = (
            registry.markdown()
            if kind == "markdown"
            else pages.draw_index(listing, width=screen.width, color=screen.color)
        )
    else:
        found = registry.find(rule)
        text = (
            f"## `{found.id}`\n\n{found.page}"
            if kind == "markdown"
            else pages.draw_page(found, registry.FAMILIES[found.family], width=screen.width, color=screen.color)
        )
    screen.print(text.removesuffix("\n"))
    return 0
