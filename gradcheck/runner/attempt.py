"""One case tried in this process, so that whatever it raises or changes costs nobody else anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradcheck.trial.case
from gradcheck.errors import GradcheckError
from gradcheck.model import Case, Report, Verdict
from gradcheck.runner.outcome import fail, failed
from gradcheck.runner.state import Change, State, describe_changes

if TYPE_CHECKING:
    from gradcheck.runner.errands import Errand
    from gradcheck.trial.helpers import Helpers

OUT_OF_MEMORY = "ran out of memory"
_KEPT = 10_000


def attempt(case: Case, helpers: Helpers | None = None, errand: Errand | None = None) -> Report:
    """Try a case and return its report, whatever its layer raises; Ctrl-C passes.

    ``helpers`` may evaluate some of its points. ``errand`` is run instead of a trial.
    """
    report = _attempt(case, helpers, errand)
    if len(report.trace) > 2 * _KEPT:
        # An exception may well print the whole of an array.
        report.trace = f"{report.trace[:_KEPT]}\n...\n{report.trace[-_KEPT:]}"
    return report


def _attempt(case: Case, helpers: Helpers | None, errand: Errand | None) -> Report:
    try:
        if errand is not None:
            from gradcheck.runner.errands import fetch

            return fetch(case, errand)
        return gradcheck.trial.case.try_case(case, helpers)
    except SystemExit as ended:
        return failed(case, f"the layer ended the process: SystemExit({ended.code!r})", trace=_trace())
    except MemoryError:
        return failed(case, f"the case {OUT_OF_MEMORY}", trace=_trace())
    except Exception as error:  # noqa: BLE001 -- one case must not cost the others theirs
        import traceback

        said = "".join(traceback.format_exception_only(error)).strip()
        message = f"internal error: {said}\n  = help: this is a bug in gradcheck; --debug shows where"
        return failed(case, message, trace=_trace())


def clean_up(case: Case, report: Report, before: State, *, tracing: bool = True) -> bool:
    """Put back what a case has changed; where no layer should change it, that is the verdict.

    What changes merely by loading the layer is forgiven: libraries set environment variables and signal handlers as
    they are imported. It is told apart by loading the layer once more.

    Returns
    -------
    bool
        Whether the process is as it was.
    """
    changes = before.changes()
    clean = not before.restore(tracing=tracing)
    if not changes:
        return clean
    forgiven = _changes_by_loading(case, before, tracing=tracing)
    left = [change for change in changes if change not in forgiven]
    if left:
        fail(report, case, f"the layer {describe_changes(left)}")
    return clean and not left


def _changes_by_loading(case: Case, before: State, *, tracing: bool) -> list[Change]:
    before.forget_modules()
    try:
        gradcheck.trial.case.realise(case)
    except (GradcheckError, SystemExit, MemoryError):
        pass
    except Exception:  # noqa: BLE001 -- it has had its say in the trial
        pass
    changes = before.changes()
    before.restore(tracing=tracing)
    return changes


def ran_out_of_memory(report: Report) -> bool:
    """Whether a case ended because it could not have the memory that it asked for."""
    return report.verdict is Verdict.ERROR and (OUT_OF_MEMORY in report.error or "MemoryError" in report.error)


def _trace() -> str:
    import traceback  # few cases need one

    return traceback.format_exc()
