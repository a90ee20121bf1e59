"""The report of a case that came to no end of its own: what happened to it, in words."""

from __future__ import annotations

import signal

from gradcheck.model import Case, Report, Verdict

_SIGNALS = {
    "SIGSEGV": "crashed with a segmentation fault",
    "SIGBUS": "crashed with a bus error",
    "SIGFPE": "crashed with a floating-point exception",
    "SIGILL": "crashed with an illegal instruction",
    "SIGABRT": "aborted",
    "SIGSYS": "made a system call that is not allowed",
}


NEWLINE = "\n"


def failed(case: Case, error: str, *, trace: str = "", output: str = "") -> Report:
    """Return the report of a case whose verdict is ``error``."""
    report = Report(case.name, Verdict.ERROR, layer=case.layer.label or "", output=output)
    report.seed, report.axis, report.options = case.settings.seed, case.settings.axis, dict(case.options)
    report.place, report.tags, report.about = case.place, case.tags, case.about
    fail(report, case, error, trace)
    return report


def fail(report: Report, case: Case, error: str, trace: str = "") -> None:
    """Turn a report into one whose verdict is ``error``."""
    from gradcheck.trial.expectation import judge

    if report.verdict is not Verdict.ERROR:
        report.notes.append(f"without that, the verdict would be: {report.verdict}")
    elif report.error:
        report.notes.append(f"besides, {report.error.partition(NEWLINE)[0]}")
    report.verdict, report.error, report.trace = Verdict.ERROR, error, trace
    judge(report, case.expect)


def not_run(case: Case) -> Report:
    """Return the report of a case that the run did not come to, for files that list all of them."""
    return failed(case, "not run: the run was interrupted")


def describe_end(status: int | None, where: str = "") -> str:
    """Say how a worker ended while it ran a case.

    Parameters
    ----------
    status
        Exit status as :mod:`subprocess` has it: negative for a signal; ``None`` if it does not end.
    where
        Place in the user's code, if that is known.
    """
    place = f" in {where}" if where else ""
    if status is None:
        return f"the layer closed or overwrote the pipe of its process{place}"
    if status >= 0:
        return f"the layer ended its process with the status {status}{place}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name in _SIGNALS:
        return f"the layer {_SIGNALS[name]} ({name}){place}"
    killed = f"the process of the layer was killed by {name}{place}"
    return killed + (", perhaps by the system for want of memory" if name == "SIGKILL" else "")


def describe_timeout(seconds: float, where: str = "") -> str:
    """Say that a case took too long."""
    return f"timed out after {seconds:g} s{f' in {where}' if where else ''}"


def describe_flood(size: int) -> str:
    """Say that a layer printed without end."""
    return f"the layer flooded its output: more than {size >> 20} MiB"
