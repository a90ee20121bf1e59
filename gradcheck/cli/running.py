"""Options on how cases are run: how many at once, where, and how much each may take."""

from __future__ import annotations

import re

import click

from gradcheck.cli import options as common
from gradcheck.cli import preferred
from gradcheck.cli.parameters import Type
from gradcheck.runner.plan import Plan

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS = ("", "K", "M", "G", "T")


class Size(Type):
    """Bytes: ``500M``, ``2G``, ``1.5GiB``; units are powers of 1024."""

    name = "size"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes."""
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(value.strip())
        if match is None:
            self.fail(f"{value!r} is no size: write 500M or 2G", param, ctx)
        return int(float(match[1]) * 1024 ** _UNITS.index(match[2].upper()))


jobs = preferred.option("jobs", "-j", help="Workers at a time (all cores).")
limits = common.declare(
    preferred.option("timeout", metavar="S", help="Seconds a case may take (60; 0: any number)."),
    click.option("--memory", type=Size(), metavar="SIZE", help="Memory a case may take: 500M, 2G (4G; 0: any)."),
    click.option(
        "--in-process", is_flag=True, help="Run layers in this process, for a debugger; nothing is contained."
    ),
)
options = common.declare(
    jobs,
    limits,
    click.option("--executor", metavar="WHERE", help="Run on dask://HOST:PORT, or on the executor module:attr."),
)


def make_plan(
    jobs: int | None, timeout: float | None, memory: int | None, executor: str | None = None, *, in_process: bool
) -> Plan:
    """Return the plan that the options describe.

    Raises
    ------
    click.UsageError
        If they contradict each other.
    """
    if in_process:
        others = {"-j": jobs, "--timeout": timeout, "--memory": memory, "--executor": executor}
        wrong = [name for name, value in others.items() if value not in (None, 1) and not preferred.is_preference(name)]
        if wrong:
            raise click.UsageError(f"--in-process and {wrong[0]} exclude each other: nothing is held to a limit there.")
    return Plan(jobs, timeout, memory, in_process, executor, shrinking=not in_process)
