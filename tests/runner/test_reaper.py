from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from gradcheck.runner import reaper
from gradcheck.runner.keeper import Keeper

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(1000)"]
PARENT = [
    sys.executable,
    "-S",
    "-c",
    "import os, subprocess, sys, time\n"
    f"subprocess.Popen({SLEEP!r})\n"
    f"subprocess.Popen({SLEEP!r}, start_new_session=True)\n"
    "print(flush=True)\n"
    "time.sleep(1000)",
]


def is_alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(processes: list[int]) -> bool:
    deadline = time.monotonic() + 5
    while any(map(is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(is_alive, processes))


def test_a_tree_is_ended() -> None:
    with subprocess.Popen(PARENT, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        family = [process.pid, *reaper.descendants(process.pid)]
        assert len(family) == 3
        reaper.end_tree(process.pid)
        assert process.wait() == -signal.SIGKILL
        assert gone(family)


def test_a_process_that_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""], start_new_session=True) as process:
        process.wait()
    reaper.end_tree(process.pid)

    assert reaper.descendants(process.pid) == []


def test_a_keeper_ends_what_is_left() -> None:
    keeper = Keeper()
    kept, forgotten = (subprocess.Popen(SLEEP, start_new_session=True) for _ in range(2))
    for process in (kept, forgotten):
        keeper.add(process.pid)
    keeper.forget(forgotten.pid)
    keeper.close()
    keeper.close()
    try:
        assert kept.wait(5) == -signal.SIGKILL
        assert forgotten.poll() is None
    finally:
        forgotten.kill()
        forgotten.wait()


def test_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(reaper, "end_tree", ended.append)
    reaper.watch(["+1\n", "+2\n", "-1\n", "+3\n", "-7\n"])

    assert ended == [2, 3]


def test_a_terminal_does_not_end_a_keeper() -> None:
    keeper = Keeper()
    assert keeper._process is not None
    process = keeper._process.pid
    time.sleep(0.3)  # until it has started
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process, number)
    time.sleep(0.1)

    assert is_alive(process)
    keeper.close()
    assert not is_alive(process)
