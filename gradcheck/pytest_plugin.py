"""The pytest plugin: case files as tests, and the fixture ``check_gradients``.

Case files are collected where they are asked for: by the patterns of the ini option ``gradcheck_files``, or with
``--gradcheck``. Each case is a test, ``cases/softmax.yaml::stale-counter[axis=1]``; ``-k`` and ``-m`` know its tags. A
case that is expected to be wrong is a strict xfail: it fails when its bug is gone, or is another one.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from gradcheck.errors import GradcheckError, GradientMismatch

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Unpack

    from gradcheck.api import Arguments
    from gradcheck.cli.overrides import Overrides
    from gradcheck.cli.repeat import Repeat
    from gradcheck.cli.session import Tolerance
    from gradcheck.model import Case, Report
    from gradcheck.runner.plan import Plan
    from gradcheck.runner.slot import Slot

# Only the errors are imported at first: the plugin is loaded in every run of pytest where gradcheck is installed.

SUFFIXES = (".yaml", ".yml")
ACTIVE = frozenset({"skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"})
"""Marks that make pytest do something; a tag of that name must not."""


class UnexpectedReport(GradientMismatch):
    """A case is not as expected; the message is its screen."""


class ExpectedReport(GradientMismatch):
    """A case is as wrong as it is expected to be: the xfail that is meant."""


class CheckGradients(Protocol):
    """What the fixture ``check_gradients`` gives."""

    def __call__(
        self,
        layer: object,
        backward: object = None,
        inputs: Mapping[str, npt.ArrayLike] | None = None,
        *,
        allow_undecided: bool = False,
        **arguments: Unpack[Arguments],
    ) -> Report:
        """Check a layer as :func:`gradcheck.check` does, and fail the test with the table unless it passes."""
        ...


@pytest.fixture
def check_gradients(request: pytest.FixtureRequest) -> CheckGradients:
    """Check a hand-written backward pass: ``check_gradients(forward, backward, {"x": x}, axis=1)``.

    The arguments are those of ``gradcheck.check``. The test fails with the table unless the verdict is pass
    (``allow_undecided=True``: or undecided); else the report is returned.
    """

    def check_(
        layer: object,
        backward: object = None,
        inputs: Mapping[str, npt.ArrayLike] | None = None,
        *,
        allow_undecided: bool = False,
        **arguments: Unpack[Arguments],
    ) -> Report:
        __tracebackhide__ = True
        from gradcheck import Verdict, check
        from gradcheck.api import mismatch

        report = check(layer, backward, inputs, **arguments)
        request.node.user_properties.append(("gradcheck", f"{report.name}: {report.verdict}"))
        if report.verdict not in ({Verdict.PASS, Verdict.UNDECIDED} if allow_undecided else {Verdict.PASS}):
            raise mismatch(report)
        return report

    return check_


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and the setting of the ini file."""
    group = parser.getgroup("gradcheck", "checks of gradients")
    group.addoption(
        "--gradcheck",
        action="store_true",
        help="Collect case files: those of the project's folders, and files and folders named on the command line.",
    )
    group.addoption(
        "--gradcheck-in-process",
        action="store_true",
        help="Run the layers of cases in this process, where a debugger reaches them and nothing is contained.",
    )
    parser.addini("gradcheck_files", "Patterns of case files, from the root: cases/**/*.yaml", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that every case has."""
    config.addinivalue_line("markers", "gradcheck: a case of gradcheck's; its tags are marks too")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the worker in which cases were run."""
    bench = config.stash.get(_BENCH, None)
    if bench is not None:
        bench.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CaseFile | None:
    """Collect a case file, if it was asked for."""
    if file_path.suffix in SUFFIXES and _is_wanted(file_path, parent.session):
        file: CaseFile = CaseFile.from_parent(parent, path=file_path)
        return file
    return None


def _is_wanted(path: Path, session: pytest.Session) -> bool:
    config = session.config
    if any(_matches(path, pattern, config.rootpath) for pattern in config.getini("gradcheck_files")):
        return True
    if not config.getoption("--gradcheck"):
        return False
    from gradcheck.casefile.project import find_project

    named = [Path(os.path.abspath(argument.partition("::")[0])) for argument in config.invocation_params.args]
    folders = [*find_project(config.rootpath).folders, *(each for each in named if each.exists())]
    return any(folder == path or folder in path.parents for folder in folders)


def _matches(path: Path, pattern: str, root: Path) -> bool:
    """Whether a path below the root matches a glob, in which ``**/`` is any number of folders, or none."""
    try:
        name = path.relative_to(root).as_posix()
    except ValueError:
        return False
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./"))
    return re.fullmatch("".join(pieces.get(part) or re.escape(part) for part in parts), name) is not None


class _Bench:
    """Where the cases of a session are run, with what the project and ``GRADCHECK_*`` variables prefer."""

    def __init__(self, overrides: Overrides, tolerance: Tolerance, plan: Plan) -> None:
        self.overrides, self.tolerance, self.plan = overrides, tolerance, plan
        self._slot: Slot | None = None
        self._stack = ExitStack()

    @classmethod
    def open(cls, config: pytest.Config) -> _Bench:
        """Read the preferences as ``gradcheck run`` does; one that makes no sense is a UsageError."""
        import click

        from gradcheck.cli.messages import translate
        from gradcheck.cli.overrides import PLAIN, Overrides
        from gradcheck.cli.run import command
        from gradcheck.cli.session import Tolerance
        from gradcheck.runner.plan import Plan

        try:
            with command.make_context("gradcheck run", []) as context:
                found = context.params
        except click.ClickException as error:
            raise translate(error) from None
        plan = Plan(1, found["timeout"], found["memory"], in_process=bool(config.getoption("--gradcheck-in-process")))
        overrides = Overrides(**{name: found[name] for name in PLAIN})
        return cls(overrides, Tolerance(found["strict"], found["allow_undecided"]), plan)

    def run(self, case: Case) -> Report:
        """Try a case in a worker that is kept for the next one, or in this process."""
        if self.plan.in_process:
            from gradcheck.runner import run_cases

            with warnings.catch_warnings():
                # Where warnings are errors, those of a layer are none: its verdict does not depend on who asks.
                warnings.simplefilter("default")
                (report,) = run_cases([case], self.plan)
            return report
        if self._slot is None:
            from gradcheck.runner.keeper import Keeper
            from gradcheck.runner.slot import Slot

            keeper = Keeper()
            self._stack.callback(keeper.close)
            self._slot = Slot(keeper, self.plan.memory_of_worker())
            self._stack.callback(self._slot.close)
        return self._slot.try_case(case, self.plan.timeout_of(case), shrinking=True)

    def close(self) -> None:
        """End the worker."""
        self._stack.close()


_BENCH = pytest.StashKey[_Bench]()


def _bench(config: pytest.Config) -> _Bench:
    if _BENCH not in config.stash:
        config.stash[_BENCH] = _Bench.open(config)
    return config.stash[_BENCH]


class CaseFile(pytest.File):
    """A case file, its cases and their variants in order."""

    def collect(self) -> Iterator[CaseItem]:
        """Yield the cases; nothing of a layer is imported."""
        from gradcheck.cli.changes import choose

        for case, repeat in choose((str(self.path),), _bench(self.config).overrides):
            item: CaseItem = CaseItem.from_parent(self, name=case.name.rpartition("/")[2], case=case, repeat=repeat)
            yield item

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]
        """Show what is wrong with the file as ``gradcheck run`` does."""
        if isinstance(excinfo.value, GradcheckError):
            from gradcheck.report.escape import disarm

            return disarm(str(excinfo.value))
        return super().repr_failure(excinfo)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, repeat: Repeat, **more: Any) -> None:
        super().__init__(**more)
        self.case, self.repeat = case, repeat
        self.report: Report | None = None
        self.add_marker("gradcheck")
        for tag in case.tags:
            self._add_tag(tag)
        self._expect()

    def _add_tag(self, tag: str) -> None:
        self.extra_keyword_matches.add(tag)
        # A name that an ini file could not declare is left to -k.
        if tag not in ACTIVE and not tag.startswith("_") and not re.search(r"[:(\s]", tag):
            self.config.addinivalue_line("markers", f"{tag}: a tag of cases")
            self.add_marker(tag)

    def _expect(self) -> None:
        from gradcheck.model import Verdict
        from gradcheck.report.cases import say_expectation

        if self.case.expect.verdict is not Verdict.PASS:
            reason = f"as expected: {say_expectation(self.case.expect)}"
            self.add_marker(pytest.mark.xfail(raises=ExpectedReport, strict=True, reason=reason))

    def runtest(self) -> None:
        """Try the case; raise unless it passes, and something else if that is expected."""
        from gradcheck.model import Verdict
        from gradcheck.report.terminal import draw

        bench = _bench(self.config)
        report = self.report = bench.run(self.case)
        self.repeat.note(report)
        self.user_properties += [("verdict", report.verdict.value), ("seed", str(report.seed))]
        if report.findings:
            self.user_properties.append(("findings", ", ".join(finding.rule for finding in report.findings)))
        screen = draw(report, debug=self.config.get_verbosity() > 0)
        if not bench.tolerance.accepts(report):
            raise UnexpectedReport(screen)
        if self.case.expect.verdict is not Verdict.PASS:
            raise ExpectedReport(screen)
        self.add_report_section("call", "gradcheck", screen)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the screen alone: the frames of gradcheck say nothing about the layer."""
        if self.report is None or not isinstance(excinfo.value, GradientMismatch):
            return super().repr_failure(excinfo, style)
        from gradcheck.report.words import say

        shown = excinfo.getrepr(style="value")
        crash = getattr(shown, "reprcrash", None)
        if crash is not None:
            # What the summary says, and where tools that read it point to.
            crash.message = say(self.report)
            if self.report.source is not None:
                crash.path, crash.lineno = self.report.source.file, self.report.source.line
        return shown

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the line of the case in its file."""
        place = self.case.place
        return self.path, place.line - 1 if place is not None and place.line else None, self.name
