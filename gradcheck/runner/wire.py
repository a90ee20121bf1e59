"""Messages between a run and its workers, through a pipe that a layer may have closed or scribbled into."""

from __future__ import annotations

import os
import pickle
import struct
import zlib
from dataclasses import dataclass

from gradcheck.model import Case, Report
from gradcheck.runner.errands import Errand

_HEAD = struct.Struct("!4sQI")
_MAGIC = b"gck\x01"
_LONGEST = 1 << 31


class GarbledError(Exception):
    """Something other than a message came through the pipe."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has imported what it needs."""


@dataclass(frozen=True, slots=True)
class Task:
    """A case to be tried, from a folder other than the worker's own if one is given.

    ``helpers``: whether there may be others to help with it. ``errand``: what is wanted of it instead of a trial.
    """

    case: Case
    folder: str = ""
    helpers: bool = False
    errand: Errand | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The report of a case; ``worn``: the case left something behind, and the worker had better be replaced."""

    report: Report
    worn: bool = False


@dataclass(frozen=True, slots=True)
class Plea:
    """A worker's request for help with its case."""

    session: int


@dataclass(frozen=True, slots=True)
class Assist:
    """A request to help with somebody else's case, as it reaches the helper: answered with :class:`Done`."""

    case: Case
    folder: str


@dataclass(frozen=True, slots=True)
class Joined:
    """To the one who has asked: a helper is ready."""

    session: int
    helper: int


@dataclass(frozen=True, slots=True)
class Part:
    """Points for a helper to evaluate; answered with :class:`Done`."""

    helper: int
    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a part: the values, or ``None`` where the helper failed."""

    helper: int
    number: int
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Release:
    """From the one who has asked: one helper, or all of them (``None``), can go."""

    helper: int | None


@dataclass(frozen=True, slots=True)
class Leave:
    """To a helper: the case is over. Answered with :class:`Left`."""


@dataclass(frozen=True, slots=True)
class Left:
    """The helper has cleaned up after the case; ``worn``: it had better be replaced."""

    worn: bool


def send(descriptor: int, message: object) -> None:
    """Write a message.

    Raises
    ------
    OSError
        If the other side is gone, or the descriptor was closed.
    """
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    rest = memoryview(_HEAD.pack(_MAGIC, len(data), zlib.crc32(data)) + data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def receive(descriptor: int) -> object:
    """Read the next message.

    Raises
    ------
    EOFError
        If the other side is gone.
    GarbledError
        If what arrives is no message.
    """
    magic, size, checksum = _HEAD.unpack(_read(descriptor, _HEAD.size))
    if magic != _MAGIC or size > _LONGEST:
        raise GarbledError
    data = _read(descriptor, size)
    if zlib.crc32(data) != checksum:
        raise GarbledError
    try:
        return pickle.loads(data)
    except Exception as error:
        raise GarbledError(f"{type(error).__name__}: {error}") from error


def _read(descriptor: int, size: int) -> bytes:
    pieces = []
    while size:
        piece = os.read(descriptor, min(size, 1 << 20))
        if not piece:
            raise EOFError
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
