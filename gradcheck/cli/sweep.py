"""``gradcheck sweep``."""

from __future__ import annotations

import gc
from typing import Any

import click

from gradcheck.cli import changes, preferred, running
from gradcheck.cli import options as common
from gradcheck.cli.parameters import Index
from gradcheck.cli.screen import Screen
from gradcheck.cli.targets import Target
from gradcheck.errors import LayerError, UsageError


@click.command("sweep", cls=preferred.ProjectCommand)
@click.argument("target", type=Target(), metavar="CASE")
@click.option("--of", "name", metavar="INPUT", help="Which input; by default the one that decided the verdict.")
@click.option("--at", "index", type=Index(), metavar="1,3", help="Which entry of it; by default the worst.")
@common.declare(changes.backward, changes.options, running.limits, common.color, common.debug)
def command(
    target: str,
    name: str | None,
    index: tuple[int, ...] | None,
    timeout: float | None,
    memory: int | None,
    in_process: bool,
    color: str,
    **changed: Any,
) -> int:
    """Show the error of a difference against its step, so that one sees why the verdict holds.

    One entry of the gradient is measured with steps from far too short, where round-off rules, to far too long, where
    truncation does: the V between them, the step that was chosen, and how far the backward is from all of it.
    """
    plan = running.make_plan(1, timeout, memory, in_process=in_process)
    chosen = changes.choose((target,), changes.collect(changed))
    if len(chosen) != 1:
        names = [case.name for case, _ in chosen]
        listed = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        raise UsageError(f"{target!r} stands for {len(names)} cases; a sweep is of one", f"there are {listed}")
    from gradcheck.report.curve import draw_curve
    from gradcheck.runner import run_errand
    from gradcheck.runner.errands import SweepErrand

    gc.enable()  # the start has turned it off
    screen = Screen.open(color)
    ((_, swept),) = run_errand([chosen[0][0]], SweepErrand(name, index), plan)
    if isinstance(swept, LayerError):
        raise swept
    report = swept.report
    screen.print(
        draw_curve(
            swept.curve,
            case=report.name,
            verdict=report.verdict,
            name=swept.name,
            width=screen.width,
            color=screen.color,
        )
    )
    return 0
