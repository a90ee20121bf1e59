"""Arrays in files (.npy, .npz, .csv), read without trust: no pickles, and no size taken from a header on its word."""

from __future__ import annotations

import math
import os
import tokenize
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.casefile.draws import size_complaint
from gradcheck.casefile.words import printable, quote, quote_path
from gradcheck.errors import UsageError, suggest

MAX_CSV_BYTES = 1 << 26

Array: TypeAlias = npt.NDArray[Any]
_PICKLE_HELP = "save plain numbers: numpy.save(path, array.astype(float))"


def read_array(path: Path, key: str | None = None) -> Array:
    """Return the array in a file, in native byte order.

    Parameters
    ----------
    path
        A .npy, .npz or .csv file. A .csv holds numbers divided by commas; a first line of words is passed over.
    key
        Which array of a .npz file; not needed if it has one only.

    Raises
    ------
    UsageError
        If there is no such file or key, the file holds pickled objects or anything but real numbers, is cut short, or
        says that it holds more than it does.
    """
    name = quote_path(path)
    try:
        if not path.is_file():
            raise UsageError(f"there is no file {name}")
        if path.suffix == ".npz":
            return _read_npz(path, name, key)
        if path.suffix == ".csv":
            return _read_csv(path, name)
        with path.open("rb") as stream:
            return _read_npy(stream, name, os.fstat(stream.fileno()).st_size)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        # zipfile raises the last two for methods it does not know and for encrypted members
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UsageError(f"{name} cannot be read: {printable(reason)}") from None


def _read_npz(path: Path, name: str, key: str | None) -> Array:
    with zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if key is None and len(members) != 1:
            listed = ", ".join(map(quote, list(members)[:20])) or "none"
            raise UsageError(f"{name} holds {len(members)} arrays", f"say which one with 'key': {listed}")
        chosen = next(iter(members)) if key is None else key
        if chosen not in members:
            raise UsageError(f"{name} holds no array {quote(chosen)}", suggest(chosen, members))
        with archive.open(members[chosen]) as stream:
            return _read_npy(stream, name, members[chosen].file_size)


def _read_npy(stream: IO[bytes], name: str, size: int) -> Array:
    """Read one array; ``size`` is how many bytes the stream is known to have at most."""
    shape, fortran, dtype = _read_header(stream, name)
    if dtype.hasobject:
        raise UsageError(f"{name} holds pickled objects, which are never loaded", _PICKLE_HELP)
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise UsageError(f"{name} holds {printable(str(dtype))}, not real numbers of at most 64 bits")
    if problem := size_complaint(shape):
        raise UsageError(f"{name} cannot be read: {problem}")
    needed = math.prod(shape) * dtype.itemsize
    if needed > size:
        raise UsageError(
            f"{name} is cut short: its header promises {needed:,} bytes of numbers, it has {size:,} in all"
        )
    data = stream.read(needed)
    if len(data) != needed:
        raise UsageError(f"{name} is cut short: its header promises {needed:,} bytes of numbers, it has {len(data):,}")
    array = np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), order="C")


def _read_header(stream: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            if version == (1, 0):
                return np.lib.format.read_array_header_1_0(stream)
            return np.lib.format.read_array_header_2_0(stream)
    except (SyntaxError, tokenize.TokenError, RecursionError, MemoryError, TypeError):
        # the header is a Python literal, and numpy lets some faults of its parser through
        raise UsageError(f"{name} cannot be read: its header is broken") from None


def _read_csv(path: Path, name: str) -> Array:
    if path.stat().st_size > MAX_CSV_BYTES:
        raise UsageError(f"{name} is larger than 64 MiB", "save the array as .npy")
    with path.open(encoding="utf-8-sig") as stream:
        lines = [line for line in stream.read(MAX_CSV_BYTES).splitlines() if line.strip()]
    if lines and not _is_numeric(lines[0]):
        lines = lines[1:]
    if not lines:
        return np.zeros(0)
    rows = np.loadtxt(lines, delimiter=",", dtype=np.float64, ndmin=2)
    return rows[:, 0].copy() if rows.shape[1] == 1 else rows


def _is_numeric(line: str) -> bool:
    try:
        [float(cell) for cell in line.split(",")]
    except ValueError:
        return False
    return True
