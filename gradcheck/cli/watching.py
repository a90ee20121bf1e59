"""``gradcheck run --watch``: the same run again whenever a file of the project changes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gradcheck.cli.messages import write_error
from gradcheck.cli.screen import Screen, wants_color
from gradcheck.cli.session import INTERRUPTED
from gradcheck.errors import GradcheckError, UsageError

SUFFIXES = (".py", ".yaml", ".yml", ".toml", ".npy", ".npz", ".csv")
LISTEN = 200
"""Milliseconds after which a watcher without news comes back."""

PASSED_OVER = frozenset(["__pycache__", "node_modules", "site-packages", "venv", "build", "dist"])


def keep_running(once: Callable[[], int], screen: Screen, folder: Path | None = None) -> int:
    """Run, wait for a change below a folder, and run again, until somebody interrupts.

    Parameters
    ----------
    once
        The run; a usage error of it is shown, for the file may be half written.
    screen
        Where it is said what has changed.
    folder
        The current one by default.

    Returns
    -------
    int
        130: there is no other way to end.

    Raises
    ------
    UsageError
        If the package that watches files is not installed.
    """
    gc.enable()  # the start has turned it off
    watch = _find_watch()
    folder = folder or Path.cwd()
    try:
        # it yields nothing now and then, so that it is listening before the first run
        batches = iter(watch(folder, watch_filter=is_watched, yield_on_timeout=True, rust_timeout=LISTEN))
        next(batches, None)
        _run(once)
        screen.remark(f"watching {folder}; Ctrl-C ends")
        for changes in filter(None, batches):
            files = sorted({_shown(Path(path), folder) for _, path in changes})
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            screen.print()
            screen.remark(f"{files[0]}{more} changed")
            if _run(once) == INTERRUPTED:
                break
    except KeyboardInterrupt:
        pass
    return INTERRUPTED


def is_watched(_change: object, path: str) -> bool:
    """Whether a change of a file can matter: code, case files and data, but nothing hidden or installed."""
    parts = Path(path).parts
    return path.endswith(SUFFIXES) and not any(part.startswith(".") or part in PASSED_OVER for part in parts[1:])


def _run(once: Callable[[], int]) -> int:
    try:
        return once()
    except GradcheckError as error:
        said = error if isinstance(error, UsageError) else UsageError(str(error))
        sys.stderr.write(write_error(said, color=wants_color("auto", sys.stderr)) + "\n")
        return 2


def _find_watch() -> Callable[..., Iterable[set[tuple[Any, str]]]]:
    try:
        from watchfiles import watch  # an extra: only --watch needs it
    except ModuleNotFoundError:
        raise UsageError(
            "--watch needs the package watchfiles, which is not installed", "pip install 'gradcheck[watch]'"
        ) from None
    return watch


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
