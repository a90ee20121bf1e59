"""The traceback that :mod:`faulthandler` writes among the last output of a process."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_FATAL = re.compile(r"^Fatal Python error: .*$", re.MULTILINE)
_STACK = re.compile(r"^(?:Current thread.*|Stack) \(most recent call first\):$", re.MULTILINE)
_FRAME = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+|\?\?\?) in (?P<name>.*)$', re.MULTILINE)
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True, slots=True)
class Stack:
    """Where a process was: its frames as file, line and function, the innermost first, and the text that says so."""

    frames: tuple[tuple[str, str, str], ...] = ()
    text: str = ""

    def place(self, *, innermost: bool) -> str:
        """Return the innermost or outermost place in the user's own code, or ``""``.

        A process that is stopped is each time somewhere else in its innermost function, but in the same outermost one.
        """
        own = [frame for frame in self.frames if _is_own(frame[0])]
        if not own:
            return ""
        file, line, name = own[0 if innermost else -1]
        return f"{name} ({os.path.basename(file)}{f':{line}' if innermost and line.isdigit() else ''})"

    def steady_text(self) -> str:
        """Return the part of the text that is the same each time a process that hangs is stopped.

        That is from the outside up to the user's outermost function, without the line that is being run in it.
        """
        depth = max((at for at, frame in enumerate(self.frames) if _is_own(frame[0])), default=None)
        if depth is None:
            return ""
        outer = [f'  File "{file}", line {line} in {name}' for file, line, name in self.frames[depth + 1 :]]
        inner = [f'  File "{file}" in {name}' for file, _, name in self.frames[depth : depth + 1]]
        return "\n".join([self.text.partition("\n")[0], *inner, *outer])


def split_stack(output: str) -> tuple[str, Stack]:
    """Divide the last output of a process into what the layer printed, and the last traceback in it."""
    starts = [*_FATAL.finditer(output)][-1:] or [*_STACK.finditer(output)][-1:]
    if not starts:
        return output, Stack()
    start = starts[0].start()
    found = list(_FRAME.finditer(output, start))
    # Newer Pythons add the stack of C, whose addresses differ from run to run.
    text = "\n".join([starts[0][0], *(frame[0] for frame in found)])
    return output[:start], Stack(tuple((frame["file"], frame["line"], frame["name"]) for frame in found), text)


def _is_own(file: str) -> bool:
    from gradcheck.layers.calling import is_installed

    return not file.startswith(("<", _HERE + os.sep)) and not is_installed(file)
