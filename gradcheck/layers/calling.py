"""The border to the user's code: calling it, and saying what it raised and where."""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import TracebackType

from gradcheck.errors import LayerError, UsageError
from gradcheck.layers.frameworks import needs
from gradcheck.model import Place

_HERE = os.path.dirname(os.path.abspath(__file__))
_MACHINERY = (_HERE, os.path.join(os.path.dirname(_HERE), "runner"))
_LONGEST = 300
_SITES = frozenset(("site-packages", "dist-packages"))  # those of the user, of the system, of another environment


def call(
    function: Callable[..., object],
    arguments: Sequence[object] = (),
    keywords: Mapping[str, object] | None = None,
    *,
    role: str,
) -> object:
    """Call a function of the user's.

    Parameters
    ----------
    function
        What is called.
    arguments, keywords
        With what.
    role
        What it is to the layer: ``forward``, ``backward``, ``Linear(...)``; the message begins with it.

    Raises
    ------
    LayerError
        If it raises, or asks the interpreter to exit. ``KeyboardInterrupt`` passes.
    """
    try:
        return function(*arguments, **(keywords or {}))
    except (LayerError, UsageError):
        raise  # a check within the user's code has already said what is wrong
    except (Exception, SystemExit) as error:  # noqa: BLE001  anything may come out of the user's code
        raise describe(error, role) from None


def describe(error: BaseException, role: str) -> LayerError:
    """Return the LayerError for an exception of the user's code: what, where, and the traceback as text.

    A package that is not installed is no fault of the code: the error says what to do about it.
    """
    where = _innermost(error.__traceback__)
    place = "" if where is None else f"{os.path.basename(where[0])}:{where[1]}"
    if isinstance(error, ModuleNotFoundError):
        missing = needs(error.name, place)
        if missing is not None:
            return LayerError(missing.message, _trace(error))
    kind = type(error).__name__
    text = _one_line(error)
    message = f"{role} raised {kind}: {text}" if text else f"{role} raised {kind}"
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{os.path.basename(error.filename)}:{error.lineno or 0}"
    if place:
        message += f" ({place})"
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] not in sys.modules:
        message += "\n  = help: pip install the package that has it"
        message += f", or put the file beside {place.partition(':')[0]}" if place else ""
    return LayerError(message, _trace(error))


def locate(function: object) -> Place | None:
    """Return where a function or class is written, or ``None`` for one that is not written in Python."""
    try:
        target = inspect.unwrap(function)  # type: ignore[arg-type]
    except ValueError:  # decorators that wrap each other in a ring
        return None
    target = getattr(target, "__func__", target)
    target = getattr(target, "func", target) if not hasattr(target, "__code__") else target
    if inspect.isclass(target):
        try:
            file, line = inspect.getsourcefile(target), inspect.getsourcelines(target)[1]
        except (OSError, TypeError):
            return None
        return Place(_shorten(file), line, 1) if file else None
    code = getattr(target, "__code__", None)
    if code is None or code.co_filename.startswith("<"):
        return None
    return Place(_shorten(code.co_filename), code.co_firstlineno, 1)


def name_of(thing: object, default: str = "layer") -> str:
    """Return what a function, class or instance is called on screen."""
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    if isinstance(name, str):
        return name.rpartition("<locals>.")[2]
    inner = getattr(thing, "func", None)
    if inner is not None:
        return name_of(inner, default)
    return type(thing).__name__ or default


def _one_line(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.msg:
        text = error.msg
    elif isinstance(error, KeyError) and error.args:
        text = repr(error.args[0])
    else:
        try:
            text = str(error)
        except Exception:  # noqa: BLE001  an exception of the user's whose own __str__ raises
            text = ""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _trace(error: BaseException) -> str:
    try:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
    except Exception:  # noqa: BLE001  formatting calls the exception's own methods
        return ""
    return "".join(lines)


def _innermost(trace: TracebackType | None) -> tuple[str, int] | None:
    """Return file and line of the innermost frame of the user's own, else the innermost one outside the machinery."""
    own: tuple[str, int] | None = None
    other: tuple[str, int] | None = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if os.path.dirname(os.path.abspath(file)) not in _MACHINERY:
            other = (file, trace.tb_lineno)
            if not _is_library(file):
                own = other
        trace = trace.tb_next
    return own or (None if other is None or other[0].startswith("<") else other)


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({os.path.realpath(paths[key]) + os.sep for key in ("stdlib", "platstdlib", "purelib", "platlib")})


def is_installed(file: str) -> bool:
    """Whether a file belongs to the standard library or to an installed package, of this Python or beside it."""
    path = os.path.realpath(file)
    return path.startswith(_library_folders()) or not _SITES.isdisjoint(path.split(os.sep))


def _is_library(file: str) -> bool:
    return file.startswith("<") or is_installed(file)


def _shorten(file: str) -> str:
    try:
        here, path = os.getcwd() + os.sep, os.path.abspath(file)
    except FileNotFoundError:  # the working directory has been deleted
        return file
    return path[len(here) :] if path.startswith(here) else path
