"""Types of options: what a shell hands over as text, read strictly, with a word on what was meant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias

import click

from gradcheck.casefile.scalars import resolve
from gradcheck.errors import UsageError, suggest
from gradcheck.model import Plain

# Generic since click 8.2, and only there.
if TYPE_CHECKING:
    Type: TypeAlias = click.ParamType[Any]
else:
    Type = click.ParamType


class Finite(click.FloatRange):
    """A number within limits, and neither infinite nor nan: no tolerance, step or time is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class Word(Type):
    """One of a few words, with did-you-mean."""

    name = "word"

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word."""
        return value if value in self.words else _refuse(value, param, suggest(value, self.words))


class Axes(Type):
    """``1``, ``0,1`` or ``all``."""

    name = "axes"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...] | Literal["all"]:
        """Return the axes, each once."""
        if value == "all":
            return "all"
        try:
            return tuple(dict.fromkeys(int(part) for part in value.split(",")))
        except ValueError:
            return _refuse(value, param, "an axis is a number, several are 0,1 and every one is all")


class Rows(Type):
    """A number of rows, ``all``, or ``heatmap``."""

    name = "rows"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["all", "heatmap"]:
        """Return the number."""
        if value == "all" or value == "heatmap":
            return "all" if value == "all" else "heatmap"
        try:
            number = int(value)
        except ValueError:
            number = 0
        return number if number > 0 else _refuse(str(value), param, "give a number from 1 on, all or heatmap")


class Named(Type):
    """``VALUE`` for the case as a whole, or ``NAME=VALUE`` for one input; gives the pair, the name empty or not."""

    name = "named"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, object]:
        """Return name and value."""
        name, equals, text = value.rpartition("=")
        if equals and not name:
            _refuse(value, param, "there is no name before the =")
        return name, self.read(text, value, param)

    def read(self, text: str, value: str, param: click.Parameter | None) -> object:
        """Return the value without its name."""
        raise NotImplementedError


class Shape(Named):
    """``4,5``, ``4x5``, ``(4, 5)``; ``()`` is 0-d."""

    name = "shape"

    def read(self, text: str, value: str, param: click.Parameter | None) -> tuple[int, ...]:
        """Return the shape."""
        inner = text.strip().removeprefix("(").removesuffix(")").replace("x", ",").strip()
        parts = [part.strip() for part in inner.removesuffix(",").split(",")] if inner else []
        # A shape has at most the 64 dimensions of numpy, and a size the digits of an int64.
        if len(parts) > 64 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            _refuse(value, param, "write 4,5, or x=4,5 for one input; () is a single number")
        return tuple(map(int, parts))


class Index(Type):
    """``1,3`` or ``[1, 3]``: an entry of an array; negative numbers count from the end."""

    name = "index"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the index."""
        inner = value.strip().removeprefix("[").removesuffix("]").strip()
        try:
            return tuple(int(part) for part in inner.split(",")) if inner else ()
        except ValueError:
            return _refuse(value, param, "write one number per axis, as 1,3")


class Dtype(Named):
    """A dtype of numpy's, by name; numpy itself need not be there."""

    name = "dtype"

    def read(self, text: str, value: str, param: click.Parameter | None) -> str:
        """Return the name."""
        from gradcheck.casefile.draws import DTYPES  # `list` and the help do without

        return text if text in DTYPES else _refuse(value, param, suggest(text, DTYPES))


class KeyValue(Type):
    """``KEY=VALUE``, where the value is read as in a case file: ``1e-6``, ``true``, ``null``, ``text``, ``[0, 1]``."""

    name = "key=value"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Plain]:
        """Return key and value."""
        key, equals, text = value.partition("=")
        if not equals or not key:
            _refuse(value, param, "write KEY=VALUE, for example eps=1e-5")
        try:
            return key, read_plain(text)
        except ValueError as error:
            return _refuse(value, param, str(error))


class FileKind(Type):
    """``KIND=PATH`` of a report that is written to a file."""

    name = "kind=path"

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = tuple(kinds)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return kind and path."""
        kind, equals, path = value.partition("=")
        if kind not in self.kinds:
            _refuse(value, param, suggest(kind, self.kinds))
        if not equals or not path:
            ending = {"table": "txt", "junit": "xml", "markdown": "md", "github": "txt"}.get(kind, kind)
            _refuse(value, param, f"write KIND=PATH, for example {kind}=report.{ending}")
        return kind, path


def read_plain(text: str) -> Plain:
    """Return the value that a text stands for in a case file: a scalar of YAML 1.2, or a list or mapping in JSON.

    Raises
    ------
    ValueError
        If it is neither; the message says how to write it.
    """
    if text[:1] not in ("[", "{", '"'):
        return resolve(text)
    import json

    try:
        value: Plain = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise ValueError('write a list as [0, 1] and a text with brackets or quotes in JSON, as "..."') from None
    return value


def _refuse(value: str, param: click.Parameter | None, help: str) -> NoReturn:  # noqa: A002
    name = max(param.opts, key=len) if param is not None else "value"
    raise UsageError(f"{name} {value!r} cannot be read", help)
