"""Check hand-written backward passes: right or wrong, where, which bug, and could the test have noticed.

>>> import numpy as np, gradcheck
>>> report = gradcheck.check(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), {"x": np.array([0.5, -1.0])})
>>> report.verdict.value
'pass'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.api import assert_gradients, audit, check
    from gradcheck.errors import GradcheckError, GradientMismatch
    from gradcheck.model import Audit, BlindSpot, Case, Entry, Finding, Report, Severity, Status, Verdict

__version__ = "0.1.0"

__all__ = [
    "Audit",
    "BlindSpot",
    "Case",
    "Entry",
    "Finding",
    "GradcheckError",
    "GradientMismatch",
    "Report",
    "Severity",
    "Status",
    "Verdict",
    "assert_gradients",
    "audit",
    "check",
]

_HOMES = {
    **dict.fromkeys(("assert_gradients", "audit", "check"), "gradcheck.api"),
    **dict.fromkeys(("GradcheckError", "GradientMismatch"), "gradcheck.errors"),
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that importing gradcheck imports no numpy (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'gradcheck' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "gradcheck.model")), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
