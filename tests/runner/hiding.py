"""Executors that a test names on the command line of a run."""

from __future__ import annotations

import os
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

FOLDER = "HIDING_FOLDER"


def open_pool_elsewhere(max_workers: int = 2) -> Executor:
    """Return a pool on a machine that has none of the files: they are gone when the first case begins."""
    folder = os.environ[FOLDER]
    os.rename(folder, folder + "-hidden")
    os.mkdir(folder)
    os.chdir(folder)
    return ThreadPoolExecutor(max_workers)


def open_other_version(max_workers: int = 1) -> Executor:
    return OtherVersion(max_workers)


class OtherVersion(ThreadPoolExecutor):
    """A pool whose workers have another gradcheck."""

    def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> Future[Any]:
        """Answer whatever is asked."""
        return super().submit(lambda: "0.0.0")


class Lossy(ThreadPoolExecutor):
    """A pool that loses the first result of every case, and those of a case called ``cursed`` always."""

    def __init__(self, max_workers: int = 2) -> None:
        super().__init__(max_workers)
        self.seen: list[str] = []

    def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> Future[Any]:
        """Run, and lose."""
        if not arguments:
            return super().submit(function)
        name = arguments[0].case.name
        self.seen.append(name)
        if name == "cursed" or self.seen.count(name) == 1:
            return super().submit(lose)
        return super().submit(function, *arguments)


def lose() -> None:
    raise ConnectionError("the worker is gone")


def broken() -> Executor:
    raise RuntimeError("no workers today")


nothing = 3
pool = ProcessPoolExecutor
