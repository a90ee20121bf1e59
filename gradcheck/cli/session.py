"""A run under way: each report is drawn as it comes, and all are remembered."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

from gradcheck.cli.repeat import Repeat
from gradcheck.cli.screen import Screen
from gradcheck.model import Case, Report, Severity, Verdict
from gradcheck.report.escape import disarm
from gradcheck.report.screens import Spacing
from gradcheck.report.summary import draw_summary
from gradcheck.report.terminal import draw
from gradcheck.runner.plan import Plan

INTERRUPTED = 130


@dataclass(slots=True)
class Drawing:
    """How reports are drawn as they come; ``table`` is off where another form is printed at the end."""

    show: int | Literal["all", "heatmap"] = 10
    quiet: int = 0
    verbose: int = 0
    debug: bool = False
    table: bool = True


@dataclass(slots=True)
class Tolerance:
    """What is let pass although it is not as it should be, and the other way round."""

    strict: bool = False
    allow_undecided: bool = False

    def accepts(self, report: Report) -> bool:
        """Whether a report leaves the exit status at 0."""
        if self.strict and any(finding.severity is Severity.WARNING for finding in report.findings):
            # A warning that the case expects by its name is no surprise.
            return report.expected and report.expect.finding is not None
        if self.allow_undecided and report.verdict is Verdict.UNDECIDED:
            return True
        return report.expected


@dataclass(slots=True)
class Session:
    """One run of ``chosen`` cases, each with what repeats it."""

    screen: Screen
    chosen: list[tuple[Case, Repeat]]
    drawing: Drawing = field(default_factory=Drawing)
    tolerance: Tolerance = field(default_factory=Tolerance)
    plan: Plan = field(default_factory=Plan)
    reports: list[Report] = field(default_factory=list)
    interrupted: bool = False
    _start: float = field(default_factory=time.monotonic)
    _spacing: Spacing = field(default_factory=Spacing)

    def run(self, *, stop: bool = False) -> int:
        """Run the cases and return the exit status; ``stop``: at the first that is not as expected."""
        from gradcheck.runner import run_cases
        from gradcheck.runner.run import stays_here

        if not stays_here([case for case, _ in self.chosen], self.plan):
            gc.enable()  # the start has turned it off
        status = 0
        repeats = {case.name: repeat for case, repeat in self.chosen}
        try:
            with closing(run_cases([case for case, _ in self.chosen], self.plan, watch=self._announce)) as running:
                for report in running:
                    repeats[report.name].note(report)
                    self.reports.append(report)
                    self._draw(report)
                    if not self.tolerance.accepts(report):
                        status = 1
                        if stop:
                            break
        except KeyboardInterrupt:
            self.interrupted = True
        self.screen.clear_progress()
        self._sum_up(interrupted=self.interrupted)
        return INTERRUPTED if self.interrupted else status

    def complete(self) -> list[Report]:
        """Return the reports; of an interrupted run also one for each case that it did not come to, which says so."""
        if not self.interrupted:
            return self.reports
        from gradcheck.runner import not_run

        found = {report.name: report for report in self.reports}
        for case, repeat in self.chosen:
            if case.name not in found:
                found[case.name] = not_run(case)
                repeat.note(found[case.name])
        return [found[case.name] for case, _ in self.chosen]

    def show_durations(self, number: int) -> None:
        """Say which cases took longest; beside a form for machines, on stderr."""
        from gradcheck.report.summary import draw_durations

        text = draw_durations(self.reports, number or len(self.reports), color=self.screen.color)
        if self.drawing.table:
            self.screen.print(f"\n{text}")
        else:
            sys.stderr.write(disarm(f"{text}\n"))

    def _announce(self, done: int, running: Sequence[str]) -> None:
        """Show how far the run is, where there is anybody to see it."""
        total = len(self.chosen)
        if not 1 < total > done:
            return
        said = [f"{done}/{total} done"]
        if failing := sum(not self.tolerance.accepts(report) for report in self.reports):
            said.append(f"{failing} failing")
        if done:
            left = (time.monotonic() - self._start) / done * (total - done)
            said.append(f"about {duration(left)} left")
        self.screen.show_progress(f"{', '.join(said)}   {', '.join(running)}")

    def _draw(self, report: Report) -> None:
        self.screen.clear_progress()
        quiet = self.drawing.quiet
        if not self.drawing.table or quiet > 1 or (quiet and self.tolerance.accepts(report)):
            return
        text = draw(
            report,
            width=self.screen.width,
            color=self.screen.color,
            show=self.drawing.show,
            brief=len(self.chosen) > 1,
            verbose=self.drawing.verbose,
            debug=self.drawing.debug,
            blocks=self.drawing.show != "heatmap" or self.screen.blocks,
        )
        self.screen.print(self._spacing.space(text))

    def _sum_up(self, *, interrupted: bool) -> None:
        if not self.drawing.table or self.drawing.quiet > 1 or (len(self.chosen) == 1 and not interrupted):
            return
        text = draw_summary(
            self.reports,
            width=self.screen.width,
            color=self.screen.color,
            total=len(self.chosen),
            interrupted=interrupted,
        )
        self.screen.print(f"\n{text}" if self._spacing.used else text)


def duration(seconds: float) -> str:
    """Return a time to wait, in one unit."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
