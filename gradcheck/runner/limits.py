"""What the system itself is asked to hold a worker to, where it can."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def limit_memory(size: int | None) -> None:
    """Let this process allocate so many bytes more than it has, and no more; it is an error of its own to ask for them.

    Linux counts what is allocated (RLIMIT_DATA); other systems count the address space at best, or nothing.
    """
    if size is None:
        return
    try:
        import resource
    except ImportError:  # Windows
        return
    linux = sys.platform == "linux"
    kind = resource.RLIMIT_DATA if linux else resource.RLIMIT_AS
    hard = resource.getrlimit(kind)[1]
    limit = size + (_allocated() if linux else 0)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (limit, hard))


def volunteer() -> None:
    """Let crashes write no core files, and be the first to go where the machine runs out of memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends, so that they can be found (on Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _allocated() -> int:
    """Return the bytes that count towards the limit already."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 1 << 30
    kilobytes = next((line.split()[1] for line in text.splitlines() if line.startswith("VmData:")), "0")
    return int(kilobytes) << 10
