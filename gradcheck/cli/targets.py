"""Targets of a command: how a shell completes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradcheck.cli.parameters import Type

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Target(Type):
    """A name, path, glob or reference; it is looked up later, by the case files' own rules."""

    name = "target"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the names of cases and layers, and paths of case files; imports neither layers nor numpy."""
        from click.shell_completion import CompletionItem

        from gradcheck.casefile.discovery import names
        from gradcheck.errors import GradcheckError

        try:
            known = names()
        except (GradcheckError, OSError):
            # A broken case file is no reason to break the shell's line.
            known = []
        found = [CompletionItem(name) for name in known if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]
