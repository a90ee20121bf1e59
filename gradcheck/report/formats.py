"""The forms a run can be written in. Each is a function in a module of its own, imported when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from gradcheck.errors import UsageError
from gradcheck.model import Report

Writer: TypeAlias = Callable[[Sequence[Report]], str]

FORMATS = {
    "table": "gradcheck.report.screens:write_table",
    "json": "gradcheck.report.json:write_json",
    "junit": "gradcheck.report.junit:write_junit",
    "sarif": "gradcheck.report.sarif:write_sarif",
    "github": "gradcheck.report.github:write_github",
    "markdown": "gradcheck.report.markdown:write_markdown",
    "html": "gradcheck.report.html:write_html",
}
"""Kind -> ``module:function``; the function takes the reports of a run and returns the file's whole text."""


def find_writer(kind: str) -> Writer:
    """Import the writer of a kind that :data:`FORMATS` lists."""
    module, _, name = FORMATS[kind].partition(":")
    writer: Writer = getattr(import_module(module), name)
    return writer


def check_folder(path: str) -> None:
    """Refuse a report file whose folder is not there, before the run and not after it.

    Raises
    ------
    UsageError
        If there is no such folder, or the path is itself one.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise UsageError(f"cannot write {path!r}: it is a folder", "name a file in it")
    if not target.parent.is_dir():
        raise UsageError(f"cannot write {path!r}: there is no folder {str(target.parent)!r}", "make it first")


def write_file(path: str, text: str) -> None:
    """Write a report file whole or not at all: under a temporary name beside it, then renamed.

    Raises
    ------
    UsageError
        If it cannot be written (no such folder, no permission, disk full).
    """
    import tempfile  # only a run that writes a file pays for it

    # What a link points to is replaced, not the link; a device or a pipe is written to.
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
            return
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(text)
            Path(temporary).chmod(_usual_mode())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {path!r}: {error.strerror or error}") from error


def _usual_mode() -> int:
    """Permissions of a new file; those of a temporary one are for its owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
