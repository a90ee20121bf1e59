"""Ends processes and everything that came out of them, also when nobody else is left to do it.

Run as a script (``python -I -S reaper.py``) it reads ``+PID`` and ``-PID`` from its input, one a line, and ends the
process groups that are left when the input ends: so does a run that is killed with a signal it cannot catch, for the
system closes its pipes. A worker cannot be trusted to look after itself: it may be stuck in a loop that never lets
another thread have its turn.

Nothing of gradcheck is imported here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable

_PROC = "/proc"


def descendants(root: int) -> list[int]:
    """Return the processes that a process has started, and those that they have; nothing where there is no /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir(_PROC) if os.path.isdir(_PROC) else []:
        if not name.isdigit():
            continue
        try:
            with open(f"{_PROC}/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):  # it has ended meanwhile
            continue
        children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    new = [root]
    while new:
        new = [child for parent in new for child in children.get(parent, [])]
        found += new
    return found


def end_tree(root: int) -> None:
    """Kill a process, the group that it leads if it does, and all that it has started."""
    if os.name == "nt":
        with contextlib.suppress(OSError):
            os.kill(root, signal.SIGTERM)  # which ends a process at once there
        return
    others = descendants(root)
    _kill_group(root)
    for each in [root, *others]:  # those that left the group
        _kill(each)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)


def _kill(process: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(process, signal.SIGKILL)


def watch(lines: Iterable[str]) -> None:
    """Keep the list of processes, and end those that are on it when the lines end."""
    kept: dict[int, None] = {}
    for line in lines:
        if line[0] == "+":
            kept[int(line[1:])] = None
        else:
            kept.pop(int(line[1:]), None)
    for leader in kept:
        end_tree(leader)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(sys.stdin)
