"""The plain data that flows: Case, Report, Entry, Finding, Verdict.

Nothing here holds a callable or imports numpy: every value can be pickled and written as JSON.
"""

from __future__ import annotations

from gradcheck.model.case import ANY_INPUT, ANY_SHAPE, Case, Expectation, InputSpec, LayerSpec, Place, Settings
from gradcheck.model.pictures import Curve, Grid
from gradcheck.model.report import (
    Audit,
    BlindSpot,
    Counts,
    Entry,
    Finding,
    InputReport,
    Reduction,
    Report,
    SliceSummary,
    use_drawer,
)
from gradcheck.model.words import METHODS, MODES, Method, Mode, Plain, Scalar, Severity, Status, Verdict

__all__ = [
    "ANY_INPUT",
    "ANY_SHAPE",
    "METHODS",
    "MODES",
    "Audit",
    "BlindSpot",
    "Case",
    "Counts",
    "Curve",
    "Entry",
    "Expectation",
    "Finding",
    "Grid",
    "InputReport",
    "InputSpec",
    "LayerSpec",
    "Method",
    "Mode",
    "Place",
    "Plain",
    "Reduction",
    "Report",
    "Scalar",
    "Settings",
    "Severity",
    "SliceSummary",
    "Status",
    "Verdict",
    "use_drawer",
]
