"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gradcheck.cli.parameters import Word

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

COLORS = ("auto", "always", "never")

color: Decorator = click.option(
    "--color", type=Word(COLORS), default="auto", metavar="|".join(COLORS), help="Colour of the output."
)
debug: Decorator = click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
expression: Decorator = click.option(
    "-k", "expression", default="", metavar="EXPR", help="Only cases whose name or tag matches: a and not b."
)
tags: Decorator = click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="Only cases with this tag (or another one given)."
)


def declare(*decorators: Decorator) -> Decorator:
    """Return one decorator for several, in the order of the help."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for each in reversed(decorators):
            function = each(function)
        return function

    return decorate
