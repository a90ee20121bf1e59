"""The text of a case file."""

from __future__ import annotations

from pathlib import Path

from gradcheck.casefile.project import shown
from gradcheck.errors import CaseFileError, Complaint

MAX_BYTES = 1 << 20


def read(path: Path) -> str:
    """Return the text of a case file.

    Raises
    ------
    CaseFileError
        If there is no such file, it is too large, or it is not UTF-8.
    """
    file = shown(path)
    try:
        if not path.is_file():
            raise CaseFileError([Complaint(file, 0, 0, "there is no such file")])
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CaseFileError([Complaint(file, 0, 0, f"cannot be read: {reason}")]) from None
    return decode(data, file)


def decode(data: bytes, file: str) -> str:
    """Return the text that the bytes of a case file stand for; raises CaseFileError."""
    if len(data) > MAX_BYTES:
        raise CaseFileError([Complaint(file, 0, 0, "larger than 1 MiB", help="divide it into several case files")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = max(data.rfind(b"\n", 0, error.start), data.rfind(b"\r", 0, error.start)) + 1
        line = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
        column = len(data[start : error.start].decode("utf-8", "replace")) + 1
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        raise CaseFileError([Complaint(file, line, column, message, help="save the file as UTF-8")]) from None
