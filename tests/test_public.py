"""The public surface: what `import gradcheck` offers, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gradcheck

NAMES = [
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


def test_names():
    assert gradcheck.__all__ == NAMES
    for name in NAMES:
        assert getattr(gradcheck, name).__name__ == name


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="module 'gradcheck' has no attribute 'chekc'"):
        gradcheck.chekc


def test_importing_imports_no_numpy():
    code = "import sys, gradcheck, gradcheck.model, gradcheck.errors; print('numpy' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
