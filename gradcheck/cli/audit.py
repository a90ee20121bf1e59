"""``gradcheck audit``."""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from gradcheck.cli import changes, preferred, running
from gradcheck.cli import options as common
from gradcheck.cli.screen import Screen
from gradcheck.cli.targets import Target
from gradcheck.errors import LayerError
from gradcheck.model import Case

if TYPE_CHECKING:
    from gradcheck.report.audits import Audited
    from gradcheck.runner.plan import Plan


@click.command("audit", cls=preferred.ProjectCommand)
@click.argument("targets", nargs=-1, type=Target(), metavar="[CASE]...")
@common.declare(changes.backward, common.expression, common.tags, changes.options)
@preferred.option("fail-under", metavar="PERCENT", help="Exit with 1 if a smaller share of the bugs would be seen.")
@common.declare(
    running.jobs,
    running.limits,
    common.color,
    click.option("-v", "--verbose", is_flag=True, help="Of several cases too, each in full."),
    common.debug,
)
def command(
    targets: tuple[str, ...],
    expression: str,
    tags: tuple[str, ...],
    fail_under: float | None,
    jobs: int | None,
    timeout: float | None,
    memory: int | None,
    in_process: bool,
    color: str,
    verbose: bool,
    **changed: Any,
) -> int:
    """Say which bugs a case could not have shown, why, and what would show them.

    Every rule's bug is put into the measured gradient of the layer. Where that makes no difference that the check would
    have noticed, the case is blind to the bug; a changed case that is not is printed, ready to be put under cases:.
    The score is the share of bugs seen among those that the layer could have. Several cases of one layer are a suite:
    what counts is what none of them sees. Without a CASE, all cases of the project are audited.
    """
    plan = running.make_plan(jobs, timeout, memory, in_process=in_process)
    chosen = changes.choose(targets, changes.collect(changed), expression, tags)
    if not chosen:
        raise changes.refuse_nothing(targets, expression, tags)
    from gradcheck.report.audits import draw_audit, draw_suites, explain_gate, join, score

    screen = Screen.open(color)
    cases = [case for case, _ in chosen]
    audited: list[Audited] = []
    interrupted = False
    try:
        with closing(audit_cases(cases, screen, plan)) as audits:
            for each in audits:
                audited.append(each)
    except KeyboardInterrupt:
        if not audited:
            raise
        interrupted = True
    screen.clear_progress()
    several = len(cases) > 1
    if verbose or not several:
        screen.print("\n\n".join(draw_audit(each, width=screen.width, color=screen.color) for each in audited))
    if several:
        screen.print(("\n" if verbose else "") + draw_suites(audited, width=screen.width, color=screen.color))
    if interrupted:
        from gradcheck.cli.session import INTERRUPTED

        screen.print(f"\ninterrupted after {len(audited)} of {len(cases)} cases")
        return INTERRUPTED
    share = score(join(audited))
    if fail_under is not None and 100 * share < fail_under:
        screen.print(f"\n{explain_gate(share, fail_under)}")
        return 1
    return 1 if any(each.audit is None for each in audited) else 0


def audit_cases(cases: Sequence[Case], screen: Screen, plan: Plan) -> Generator[Audited, None, None]:
    """Audit cases and yield what was found out, in their order; what cannot be audited is said in its place.

    Raises
    ------
    LayerError
        If there is one case only, and it cannot be audited.
    KeyboardInterrupt
        On Ctrl-C.
    """
    from gradcheck.casefile.show import dump
    from gradcheck.cli.cures import apply_cure
    from gradcheck.report.audits import Audited
    from gradcheck.runner import run_errand
    from gradcheck.runner.errands import AuditErrand

    gc.enable()  # the start has turned it off

    def announce(done: int, running: Sequence[str]) -> None:
        if 1 < len(cases) > done:
            screen.show_progress(f"{done}/{len(cases)} done   {', '.join(running)}")

    with closing(run_errand(cases, AuditErrand(), plan, watch=announce)) as audits:
        named = {case.name: case for case in cases}
        for name, found in audits:
            case = named[name]
            one = Audited(name, name_of(case))
            if isinstance(found, LayerError):
                if len(cases) == 1:
                    raise found
                one.problem = str(found)
            else:
                one.audit = found
            for spot in one.audit.blind if one.audit is not None else ():
                if spot.cure not in one.pastes and (cured := apply_cure(case, spot)) is not None:
                    one.pastes[spot.cure] = dump(cured).partition("cases:\n")[2]
            yield one


def name_of(case: Case) -> str:
    """Return what a layer is called: cases of one name are a suite."""
    layer = case.layer
    if layer.chain is not None:
        return " -> ".join(
            filter(None, (link.label or link.target or link.forward or link.object for link in layer.chain))
        )
    code = layer.target or layer.forward or layer.object or layer.node or ""
    if layer.forward is not None and layer.backward is not None:
        return f"{code} with {layer.backward.rpartition(':')[2]}"
    return code
