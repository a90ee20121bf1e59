"""``gradcheck run``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import click

from gradcheck.cli import changes, forms, preferred, running
from gradcheck.cli import options as common
from gradcheck.cli.changes import choose, refuse_nothing
from gradcheck.cli.parameters import FileKind, Rows, Word
from gradcheck.cli.screen import Screen
from gradcheck.cli.session import Drawing, Session, Tolerance
from gradcheck.cli.targets import Target
from gradcheck.errors import UsageError
from gradcheck.model import Case, Report
from gradcheck.report.formats import FORMATS, check_folder, find_writer, write_file
from gradcheck.runner.builtin import is_builtin
from gradcheck.runner.plan import Plan

KINDS = tuple(FORMATS)

_which = common.declare(
    click.argument("targets", nargs=-1, type=Target(), metavar="[TARGET]..."),
    changes.backward,
    common.expression,
    common.tags,
    preferred.option("allow-empty"),
    click.option(
        "--failed",
        type=click.Path(),
        metavar="REPORT.json",
        help="The cases of an earlier run that were not as expected.",
    ),
)
_verdict = common.declare(
    click.option("-x", "stop", is_flag=True, help="Stop at the first case that is not as expected."),
    click.option("--watch", is_flag=True, help="Run again whenever a file changes."),
    *map(preferred.option, ("strict", "allow-undecided")),
)
_output = common.declare(
    preferred.option("show", type=Rows(), default=10, metavar="N|all|heatmap"),
    preferred.option(
        "format", "kind", type=Word(KINDS), default="table", metavar="KIND", help=f"Form: {', '.join(KINDS)}."
    ),
    click.option(
        "--report", "files", type=FileKind(KINDS), multiple=True, metavar="KIND=PATH", help="Also write a file."
    ),
    click.option("--durations", type=click.IntRange(min=0), metavar="N", help="Also show the N slowest cases; 0: all."),
    click.option(
        "--repro", type=click.Path(), metavar="FILE.py", help="Write a Python file that repeats the first failing case."
    ),
    common.color,
    click.option("-q", "--quiet", count=True, help="Only what is not as expected; twice: nothing."),
    click.option("-v", "--verbose", count=True, help="The whole screen for passes and expected failures too."),
    click.option("--debug", is_flag=True, help="Show tracebacks, the layer's and gradcheck's own."),
)


@click.command("run", cls=preferred.ProjectCommand)
@common.declare(_which, changes.options, _verdict, running.options, _output)
def command(
    targets: tuple[str, ...],
    expression: str,
    tags: tuple[str, ...],
    stop: bool,
    watch: bool,
    jobs: int | None,
    timeout: float | None,
    memory: int | None,
    in_process: bool,
    executor: str | None,
    show: int | Literal["all", "heatmap"],
    strict: bool,
    allow_undecided: bool,
    allow_empty: bool,
    failed: str | None,
    kind: str,
    files: tuple[tuple[str, str], ...],
    durations: int | None,
    repro: str | None,
    color: str,
    quiet: int,
    verbose: int,
    debug: bool,
    **changed: Any,
) -> int:
    """Check the gradients of cases, layers or files.

    TARGET is the name of a case or layer, a case file or folder, a glob, file.yaml::case, module:attr or file.py:attr.
    Without one, all cases of the project are run.
    """
    plan = running.make_plan(jobs, timeout, memory, executor, in_process=in_process)
    overrides, tolerance = changes.collect(changed), Tolerance(strict, allow_undecided)
    forms.prepare([kind, *(name for name, _ in files)])
    for path in (*(path for _, path in files), *([repro] if repro else [])):
        check_folder(path)
    if failed is not None and targets:
        raise UsageError("--failed chooses the cases itself", "give either targets or --failed")
    screen = Screen.open(color, quiet=quiet > 0)

    def once() -> int:
        if failed is None:
            chosen = choose(targets, overrides, expression, tags)
        else:
            from gradcheck.cli.replay import choose_failed

            chosen, total = choose_failed(failed, tolerance.accepts, overrides, expression, tags, command)
            if not chosen and not expression and not tags:
                screen.print(f"nothing to repeat: the {total} reports of {failed} are as expected")
                return 0
        if not chosen and not allow_empty:
            raise refuse_nothing(targets, expression, tags)
        if len(chosen) == 1 and not is_builtin(chosen[0][0]):
            chosen[0][0].settings.glance = True  # of one case there is time to say what it could not have seen
        pictures = forms.pictures_of([kind, *(name for name, _ in files), show])
        for case, _ in chosen:
            case.settings.pictures = pictures
        drawing = Drawing(show, quiet, verbose, debug, kind == "table")
        session = Session(screen, chosen, drawing, tolerance, plan)
        status = session.run(stop=stop)
        reports = session.complete()
        if kind != "table":
            screen.print_form(kind, find_writer(kind)(reports).removesuffix("\n"))
        if durations is not None:
            session.show_durations(durations)
        write_files(files, reports)
        if repro:
            write_repro_file(repro, [case for case, _ in chosen], reports, plan, screen)
        forms.announce(reports, screen, kind)
        return status

    if not watch:
        return once()
    from gradcheck.cli.watching import keep_running

    return keep_running(once, screen)


def write_files(files: Sequence[tuple[str, str]], reports: Sequence[Report]) -> None:
    """Write report files, each of them even if another one cannot be written.

    Raises
    ------
    UsageError
        If one cannot be written.
    """
    problems: list[UsageError] = []
    for kind, path in files:
        try:
            write_file(path, find_writer(kind)(reports))
        except UsageError as error:
            problems.append(error)
    if problems:
        raise problems[0]


def write_repro_file(path: str, cases: Sequence[Case], reports: Sequence[Report], plan: Plan, screen: Screen) -> None:
    """Write the Python file that repeats the first failing case, if there is one, and say so.

    Raises
    ------
    UsageError
        If it cannot be written.
    """
    from gradcheck.cli.repro import pick, save_repro

    report = pick(reports)
    if report is None:
        screen.warn(f"every case is as expected, so {path} is not written")
        return
    save_repro(next(case for case in cases if case.name == report.name), report, path, plan)
    others = sum(not each.expected for each in reports) - 1
    screen.remark(f"wrote {path}, which repeats {report.name}" + (f"; {others} more not as expected" * bool(others)))
