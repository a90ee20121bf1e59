"""The state of a process that belongs to all cases: remembered before a case, compared and put back after it."""

from __future__ import annotations

import builtins
import gc
import math
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gradcheck.layers.calling import is_installed

_SHARED: tuple[ModuleType, ...] = (builtins, math, os, np, np.linalg, np.random)
_SIGNALS = sorted(set(signal.valid_signals()) - {getattr(signal, name, None) for name in ("SIGKILL", "SIGSTOP")})
_GONE = "a folder that is gone"
_LISTED = 5
_HOME = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")

Key = TypeVar("Key")
Value = TypeVar("Value")


class Change(NamedTuple):
    """Something that was changed, and where or to what."""

    what: str
    detail: str


def describe_changes(changes: Sequence[Change]) -> str:
    """Return the words that follow "the layer"."""
    kinds: dict[str, list[str]] = {}
    for change in changes:
        kinds.setdefault(change.what, []).append(change.detail)
    parts = []
    for what, details in kinds.items():
        more = ", ..." if len(details) > _LISTED else ""
        parts.append(f"{what} ({', '.join(details[:_LISTED])}{more})")
    return f"changed {' and '.join(parts)}"


@dataclass(slots=True)
class State:
    """What is remembered; :meth:`take` remembers it.

    A layer that leaves the working directory, the environment, signal handlers or timers other than it found them is
    told so (:meth:`changes`). What layers may well change in the course of their work (the global random generators,
    numpy's error handling, the import path ...) is put back without a word.
    """

    folder: str
    environment: dict[str, str]
    handlers: dict[int, object]
    modules: set[str]
    quiet: dict[str, Any]
    alarm: bool = False
    shared: list[dict[str, object]] = field(default_factory=list)

    @classmethod
    def take(cls) -> State:
        """Remember the state as it is now."""
        return cls(
            folder=_folder(),
            environment=dict(os.environ),
            handlers={number: signal.getsignal(number) for number in _SIGNALS},
            modules=set(sys.modules),
            quiet={
                "random": random.getstate(),
                "numpy random": np.random.get_state(),
                "errors": np.geterr(),
                "error call": np.geterrcall(),
                "printing": np.get_printoptions(),
                "path": list(sys.path),
                "filters": list(warnings.filters),
                "recursion": sys.getrecursionlimit(),
                "streams": (sys.stdin, sys.stdout, sys.stderr),
                "collecting": gc.isenabled(),
            },
            alarm=_alarm_is_set(),
            shared=[dict(vars(module)) for module in _SHARED],
        )

    def changes(self) -> list[Change]:
        """Return what has been changed that no layer should change."""
        found = [] if _folder() == self.folder else [Change("the working directory", _folder())]
        now = dict(os.environ)
        names = sorted(name for name in {*now, *self.environment} if now.get(name) != self.environment.get(name))
        found += [Change("the environment", name) for name in names]
        for number, handler in self.handlers.items():
            if signal.getsignal(number) != handler:
                found.append(Change("the handlers of signals", _signal_name(number)))
        if _alarm_is_set() and not self.alarm:
            found.append(Change("the alarm", "it is set"))
        return found

    def adopt(self, before: State, after: State) -> None:
        """Take over what became different between two moments: it is no layer's doing, and stays.

        Random states, streams and the garbage collector are left out: every case finds those as the first one did.
        """
        self.folder = after.folder if after.folder != before.folder else self.folder
        _take_over(self.environment, before.environment, after.environment)
        _take_over(self.handlers, before.handlers, after.handlers)
        self.alarm |= after.alarm and not before.alarm
        for mine, old, new in zip(self.shared, before.shared, after.shared, strict=True):
            for name in old:
                if name in new and new[name] is not old[name]:
                    mine[name] = new[name]
        quiet = self.quiet
        for name in ("errors", "printing"):
            _take_over(quiet[name], before.quiet[name], after.quiet[name])
        for name in ("path", "filters"):
            old, new = before.quiet[name], after.quiet[name]
            first = [entry for entry in new[: len(new) - len(old)] if entry not in old]  # as most of them are
            last = [entry for entry in new if entry not in old and entry not in first]
            gone = [entry for entry in old if entry not in new]
            quiet[name] = [*first, *(entry for entry in quiet[name] if entry not in [*gone, *first, *last]), *last]
        for name in ("recursion", "error call"):
            if after.quiet[name] != before.quiet[name]:
                quiet[name] = after.quiet[name]

    def restore(self, *, tracing: bool = True) -> bool:
        """Put everything back; return whether even built-in functions or those of numpy had been replaced.

        ``tracing=False`` leaves the hooks of a debugger or of a measurement of coverage alone.
        """
        if _folder() != self.folder:
            os.chdir(self.folder)
        if dict(os.environ) != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        if threading.current_thread() is threading.main_thread():
            self._restore_signals()
        self._restore_quietly()
        if tracing:
            sys.settrace(None)
            sys.setprofile(None)
        patched = False
        for module, before in zip(_SHARED, self.shared, strict=True):
            now = vars(module)
            for name, value in before.items():
                if now.get(name) is not value:
                    patched = True
                    setattr(module, name, value)
        return patched

    def _restore_signals(self) -> None:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self.handlers.items():
            if signal.getsignal(number) != handler and handler is not None:
                signal.signal(number, handler)  # type: ignore[arg-type]

    def _restore_quietly(self) -> None:
        quiet = self.quiet
        random.setstate(quiet["random"])
        np.random.set_state(quiet["numpy random"])
        np.seterr(**quiet["errors"])
        np.seterrcall(quiet["error call"])
        if np.get_printoptions() != quiet["printing"]:
            np.set_printoptions(**quiet["printing"])
        sys.path[:] = quiet["path"]
        if warnings.filters != quiet["filters"]:
            warnings.filters[:] = quiet["filters"]  # type: ignore[index]
        sys.setrecursionlimit(quiet["recursion"])
        sys.stdin, sys.stdout, sys.stderr = quiet["streams"]
        (gc.enable if quiet["collecting"] else gc.disable)()

    def forget_modules(self) -> None:
        """Forget the modules of the user's own that have been imported since, so that the next case has them anew.

        Those of installed packages stay, those of gradcheck itself wherever it lies, and extension modules, which
        cannot be loaded twice.
        """
        for name in set(sys.modules) - self.modules:
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and file.endswith(".py") and not (is_installed(file) or file.startswith(_HOME)):
                del sys.modules[name]
            else:
                self.modules.add(name)  # not to be looked at again


def _take_over(mine: dict[Key, Value], before: dict[Key, Value], after: dict[Key, Value]) -> None:
    for key in {*before, *after}:
        if key not in after:
            mine.pop(key, None)
        elif key not in before or after[key] != before[key]:
            mine[key] = after[key]


def _alarm_is_set() -> bool:
    return hasattr(signal, "getitimer") and bool(signal.getitimer(signal.ITIMER_REAL)[0])


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return _GONE


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
