"""Other processes that evaluate points of this one's case: what is asked of them, and what goes back and forth.

A trial knows no processes. Whoever runs it may hand it :class:`Helpers`; points and values travel as bytes.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.layers.protocol import Array
from gradcheck.model import Case, Plain
from gradcheck.trial.calls import Floats

Bits: TypeAlias = npt.NDArray[np.uint64]


class Helpers(Protocol):
    """Processes that may come to help with the case under way."""

    def ask(self) -> None:
        """Ask for help; whether and when somebody comes is seen in :meth:`present`. May be called again and again."""

    def present(self) -> Sequence[int]:
        """Return the numbers of the helpers that have come and are still there."""

    def give(self, helper: int, part: bytes) -> None:
        """Hand a part to a helper; each works at one at a time."""

    def take(self, helper: int, patience: float) -> bytes | None:
        """Return what became of the part, or ``None`` if the helper failed, is gone, or takes longer than that."""

    def release(self) -> None:
        """Send all of them away."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a helper needs, beside the layer of the case, to evaluate the same function.

    Attributes
    ----------
    name
        The input that the function is one of.
    moved
        All inputs.
    options
        Options of the forward.
    carried, together
        Of a batch: the inputs that every copy gets a copy of, and the points that go through one call (1: no batch).
    """

    name: str
    moved: dict[str, Array]
    options: dict[str, Plain]
    carried: tuple[str, ...] = ()
    together: int = 1


class Assistant(Protocol):
    """The helper's side."""

    def evaluate(self, part: bytes) -> bytes:
        """Return the values at the points of a part."""


def prepare_help(case: Case) -> Assistant:
    """Build the layer of a case in this process, and return what evaluates points of it.

    Raises
    ------
    Exception
        Whatever the layer raises: then there is no help to be had here.
    """
    from gradcheck.trial.shard import Shard

    return Shard(case)


def pack_part(number: int, recipe: Recipe | None, rows: bytes) -> bytes:
    """Return points as bytes, with the number of their function, and the function if it is new to the helper."""
    return pickle.dumps((number, recipe, rows), protocol=5)


def unpack_part(data: bytes) -> tuple[int, Recipe | None, bytes]:
    """Return what :func:`pack_part` has packed."""
    number, recipe, rows = pickle.loads(data)
    return number, recipe, rows


def pack_rows(rows: Sequence[Floats], base: Floats) -> bytes:
    """Return arrays of one size as bytes; of those that are mostly equal to a base, only where they differ."""
    table = np.stack([row.reshape(-1) for row in rows])
    differs = _bits(table) != _bits(base.reshape(1, -1))
    if 3 * int(np.count_nonzero(differs)) > table.size:
        return pickle.dumps((len(rows), None, None, table.tobytes()), protocol=5)
    places = np.flatnonzero(differs).tobytes()
    return pickle.dumps((len(rows), _sum_of(base), places, table[differs].tobytes()), protocol=5)


def unpack_rows(data: bytes, base: Floats) -> Floats:
    """Return what :func:`pack_rows` has packed, one row for each array, bit for bit.

    Raises
    ------
    ValueError
        If the base is not the one that it was packed with.
    """
    count, known, places, values = pickle.loads(data)
    if places is None:
        return np.array(np.frombuffer(values, dtype=np.float64).reshape(count, base.size))
    if known != _sum_of(base):
        raise ValueError("another base")
    table: Floats = np.tile(base.reshape(-1), (count, 1))
    table.reshape(-1)[np.frombuffer(places, dtype=np.intp)] = np.frombuffer(values)
    return table


def _sum_of(base: Floats) -> int:
    return zlib.crc32(np.ascontiguousarray(base).tobytes())


def pack_values(rows: Sequence[Floats]) -> bytes:
    """Return arrays of one size as bytes; of those that are mostly equal to the first, only where they differ."""
    return pickle.dumps((rows[0].size, rows[0].tobytes(), pack_rows(rows, rows[0])), protocol=5)


def unpack_values(data: bytes) -> Floats:
    """Return what :func:`pack_values` has packed, one row for each array, bit for bit."""
    size, first, rows = pickle.loads(data)
    return unpack_rows(rows, np.frombuffer(first, dtype=np.float64, count=size))


def equal_tables(one: Floats, other: Floats) -> bool:
    """Whether two tables are the same, bit for bit."""
    return one.shape == other.shape and bool(np.array_equal(_bits(one), _bits(other)))


def _bits(values: Floats) -> Bits:
    return np.ascontiguousarray(values).view(np.uint64)
