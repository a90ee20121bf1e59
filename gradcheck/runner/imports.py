"""What packages change in a process as they are imported: no layer's doing, and there to stay.

Libraries set environment variables, signal handlers, warning filters and more, once, when the first one who needs them
imports them. So a process is looked at before and after the import of every module that is not the user's own, and
what is different is counted as its state from then on. What a layer changes itself is compared with that.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np

from gradcheck.layers.calling import is_installed
from gradcheck.runner.state import State


class Observer:
    """A finder of modules that finds none of its own, but is told of all that are loaded for the first time.

    Parameters
    ----------
    state
        The state of the process, which takes over what installed packages change as they are imported.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._busy = threading.local()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders find, to be observed where it is installed."""
        if getattr(self._busy, "yes", False):
            return None  # within an import that is observed as a whole, or asked by another finder
        with self._occupied():
            spec = self._ask_others(name, path, target)
        if spec is not None and spec.has_location and spec.origin is not None and is_installed(spec.origin):
            self._observe(spec)
        return spec

    def _ask_others(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None

    def _observe(self, spec: ModuleSpec) -> None:
        loader = spec.loader
        # A loader is made for each module by itself; where it is not (archives), there is nothing to hold on to.
        if loader is None or getattr(loader, "name", None) != spec.name or "exec_module" in vars(loader):
            return
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)  # the module keeps its loader, and that is as it was
            with self._occupied():
                before = State.take()
                try:
                    execute(module)
                finally:
                    self.state.adopt(before, State.take())
                    # The next case imports nothing, and must draw the same numbers.
                    random.setstate(before.quiet["random"])
                    np.random.set_state(before.quiet["numpy random"])

        vars(loader)["exec_module"] = exec_module

    @contextmanager
    def _occupied(self) -> Iterator[None]:
        self._busy.yes = True
        try:
            yield
        finally:
            self._busy.yes = False


@contextmanager
def observed_imports(state: State) -> Iterator[None]:
    """Have a state take over what installed packages change as they are imported."""
    observer = Observer(state)
    sys.meta_path.insert(0, observer)
    try:
        yield
    finally:
        if observer in sys.meta_path:
            sys.meta_path.remove(observer)
