"""``gradcheck schema``."""

from __future__ import annotations

import click

from gradcheck.cli import options
from gradcheck.cli.screen import Screen


@click.command("schema")
@options.declare(options.debug)
def command() -> int:
    """Print the JSON Schema of case files, for editors.

    \b
    gradcheck schema > case.schema.json
    # yaml-language-server: $schema=case.schema.json     (first line of a case file)
    """  # noqa: D301 -- click reads \b
    import json

    from gradcheck.casefile.show import json_schema

    Screen.open("never").print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
