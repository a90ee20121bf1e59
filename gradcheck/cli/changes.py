"""Options that change a case before something is done with it, and the cases that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from gradcheck.cli import options as common
from gradcheck.cli import preferred
from gradcheck.cli.overrides import PLAIN, Overrides, apply
from gradcheck.cli.parameters import Axes, Dtype, KeyValue, Shape
from gradcheck.cli.repeat import Repeat
from gradcheck.cli.selection import select
from gradcheck.errors import UsageError
from gradcheck.model import Case

options = common.declare(
    click.option("--axis", "axes", type=Axes(), metavar="N|N,N|all", help="Axis of the layer and of the table."),
    click.option("--shape", "shapes", type=Shape(), multiple=True, metavar="[NAME=]4,5", help="Shape of the inputs."),
    click.option("--dtype", "dtypes", type=Dtype(), multiple=True, metavar="[NAME=]DTYPE", help="Dtype of the inputs."),
    click.option("--wrt", multiple=True, metavar="NAMES", help="Inputs to differentiate, joined by commas."),
    click.option(
        "--option", "options", type=KeyValue(), multiple=True, metavar="KEY=VALUE", help="Option of the layer."
    ),
    click.option("--order", type=click.IntRange(1, 2), metavar="1|2", help="2: derivatives of a framework's gradient."),
    *map(preferred.option, PLAIN),
)
backward = click.option(
    "--backward", metavar="REF", help="Backward that belongs to TARGET: module:attr or file.py:attr."
)


def collect(given: dict[str, Any]) -> Overrides:
    """Take what the options say out of the arguments of a command."""
    wrt = given.pop("wrt")
    return Overrides(
        backward=given.pop("backward"),
        axes=given.pop("axes") or (),
        shapes=dict(given.pop("shapes")),
        dtypes=dict(given.pop("dtypes")),
        wrt=tuple(name for names in wrt for name in names.split(",") if name),
        options=dict(given.pop("options")),
        **{name: given.pop(name) for name in ("order", *PLAIN)},
    )


def choose(
    targets: Sequence[str], overrides: Overrides, expression: str = "", tags: Sequence[str] = ()
) -> list[tuple[Case, Repeat]]:
    """Return the cases of some targets, as the command line wants them, each with what repeats it."""
    from gradcheck.casefile.discovery import find

    chosen: dict[str, tuple[Case, Repeat]] = {}
    for case in select(find(targets), expression, tags):
        for changed in apply(case, overrides):
            # With --axis, variants of a matrix that differ in nothing but the axis become one.
            chosen.setdefault(changed.name, (changed, Repeat(case, overrides, changed)))
    return list(chosen.values())


def refuse_nothing(targets: Sequence[str], expression: str, tags: Sequence[str]) -> UsageError:
    """Return the error for a choice that leaves no case."""
    asked = [f"-k {expression!r}"] if expression else []
    asked += [f"--tag {tag}" for tag in tags]
    among = f" among {', '.join(targets)}" if targets else ""
    why = f" by {' and '.join(asked)}" if asked else ""
    return UsageError(f"no case is selected{why}{among}", "gradcheck list shows what there is")
