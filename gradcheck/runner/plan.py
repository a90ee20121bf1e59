"""How the cases of a run are run: how many at once, where, and how much each may take."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gradcheck.model import Case

TIMEOUT = 60.0
"""Seconds that a case may take where nothing else is said."""

MEMORY = 4 << 30
"""Bytes that a case may take where nothing else is said; on a small machine, a quarter of what it has."""

_LEAST = 512 << 20
_CGROUP = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line says about running.

    Attributes
    ----------
    jobs
        Workers at a time, each with a case of its own or helping with a large one; ``None``: as many as there are
        cores.
    timeout
        Seconds that each case may take; ``None``: what the case says, else 60; 0: no limit.
    memory
        Bytes that a case may take in its worker; ``None``: 4 GiB, or a quarter of a small machine; 0: no limit.
    in_process
        Whether cases run in this process, where a debugger reaches them and nothing protects from them.
    executor
        ``dask://HOST:PORT``, or ``module:attr`` for a :class:`concurrent.futures.Executor`.
    shrinking
        Whether a case that fails, and was not expected to, is made as small as it can be. Not ``in_process``: a
        debugger would stop in all those smaller cases as well.
    """

    jobs: int | None = None
    timeout: float | None = None
    memory: int | None = None
    in_process: bool = False
    executor: str | None = None
    shrinking: bool = False

    def workers(self) -> int:
        """Return how many workers there may be at the same time."""
        return max(1, self.jobs or count_cores())

    def workers_for(self, cases: int) -> int:
        """Return how many workers so many cases keep busy, if none of them is large."""
        return max(1, min(self.workers(), cases))

    def timeout_of(self, case: Case) -> float | None:
        """Return the seconds that a case may take, or ``None`` for no limit."""
        asked = next((each for each in (self.timeout, case.timeout) if each is not None), TIMEOUT)
        return asked or None

    def memory_of_worker(self) -> int | None:
        """Return the bytes that a case may take in a worker, or ``None`` for no limit.

        The default does not depend on the number of workers: what a case says must not either.
        """
        if self.memory is None:
            return min(MEMORY, max(_LEAST, _machine_memory() // 4))
        return self.memory or None


def count_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _machine_memory() -> int:
    """Return the bytes of memory of the machine, or of the container, if that has fewer."""
    try:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):  # no such thing on Windows
        return 4 * MEMORY
    for path in _CGROUP:
        try:
            text = Path(path).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            found.append(int(text))
    return min(found)
