"""Many cases: isolated from each other and from the run, on all cores, or on a cluster.

What runs when: nothing of the user's is imported here, nor while cases are listed or validated; ``gradcheck run``
imports a layer, and runs it, in a worker process, and so do audits and sweeps. Isolation contains accidents.
It is no sandbox: a layer has all the rights of its user.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.runner.outcome import not_run
    from gradcheck.runner.plan import Plan
    from gradcheck.runner.run import run_cases, run_errand

_HOMES = {"Plan": "plan", "not_run": "outcome", "run_cases": "run", "run_errand": "run"}

__all__ = ["Plan", "not_run", "run_cases", "run_errand"]


def __getattr__(name: str) -> object:
    """Load a name when it is first used: the help of the command line needs no queues (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
