"""The root command. It knows its commands by name and imports each only when it is run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from gradcheck import __version__
from gradcheck.errors import UsageError, suggest

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "run": "Check the gradients of cases, layers or files.",
    "list": "List the cases and layers that can be run.",
    "show": "Show a case: its layer, inputs, options and what is expected.",
    "audit": "Say which bugs a case could not have shown, and why.",
    "sweep": "Show the error of a difference against its step.",
    "init": "Write a case file for the layers of a Python file.",
    "explain": "Explain a rule: the bug, its formula, what hides it, how it is mended.",
    "report": "Draw runs again that were written as JSON, in any form.",
    "schema": "Print the JSON Schema of case files, for editors.",
}
"""Name of a command -> its one line in the help. The module ``gradcheck.cli.NAME`` holds ``command``."""


class LazyGroup(click.Group):
    """A group whose help, completion and did-you-mean need no command to be imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"gradcheck.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            if name.startswith("-"):
                self.parse_args(ctx, args)
            raise UsageError(f"no such command {name!r}", suggest(name, COMMANDS))
        return name if command is not None else None, command, args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their one-line descriptions."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands without importing one."""
        from click.shell_completion import CompletionItem  # only a shell that completes pays for it

        found = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    click.echo(f"gradcheck {__version__}")
    ctx.exit()


def _refuse_nothing(ctx: click.Context) -> NoReturn:
    click.echo(ctx.get_help(), err=True)
    ctx.exit(2)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Exit status: 0 all as expected, 1 not so, 2 the run could not be set up,
  130 interrupted.
Completion of cases and options, in ~/.bashrc (zsh and fish likewise):
  eval "$(_GRADCHECK_COMPLETE=bash_source gradcheck)"
""",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.pass_context
def root(ctx: click.Context) -> None:
    """Check hand-written backward passes.

    Is the gradient right, where is it wrong, which bug is it, and would the test have noticed?

    \b
    gradcheck run softmax --axis 1
    gradcheck run mine.py:softmax --backward mine.py:softmax_backward --axis 1 --shape 4,5
    """  # noqa: D301 -- click reads \b
    if ctx.invoked_subcommand is None:
        _refuse_nothing(ctx)
