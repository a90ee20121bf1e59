"""The one command that repeats a case."""

from __future__ import annotations

import re
from pathlib import Path

from gradcheck.cli.overrides import PLAIN, Overrides
from gradcheck.model import Case, Plain


def write_command(case: Case, overrides: Overrides, axis: int | None, seed: int) -> str:
    """Return the command line that repeats a case, quoted for a POSIX shell.

    Parameters
    ----------
    case
        The case as it was found, before the command line changed it.
    overrides
        What the command line changed.
    axis
        Which of the axes asked for this was; ``None`` where none was asked for.
    seed
        Seed of the run; always written, for it decides the inputs.
    """
    words = ["gradcheck", "run", target_of(case)]
    if overrides.backward is not None:
        words += ["--backward", overrides.backward]
    if axis is not None and overrides.axes:
        words += ["--axis", str(axis)]
    for name, shape in overrides.shapes.items():
        words += ["--shape", _named(name, ",".join(map(str, shape)) or "()")]
    for name, dtype in overrides.dtypes.items():
        words += ["--dtype", _named(name, dtype)]
    if overrides.wrt:
        words += ["--wrt", ",".join(overrides.wrt)]
    for key, value in overrides.options.items():
        words += ["--option", f"{key}={_written(value)}"]
    for option in PLAIN:
        value = getattr(overrides, option)
        if value is not None and option != "seed":
            words += [f"--{option}", str(value)]
    return " ".join(map(_quoted, [*words, "--seed", str(seed)]))


def target_of(case: Case) -> str:
    """Return the target that finds a case again: its place in a file, or its name."""
    if case.place is not None:
        return f"{_nearby(case.place.file)}::{case.name.rpartition('/')[2]}"
    target = case.layer.target
    return target if target is not None and ":" in target else case.name


def _quoted(word: str) -> str:
    """Quote a word for a POSIX shell, as ``shlex.quote`` does."""
    if word and re.fullmatch(r"[\w@%+=:,./-]+", word, re.ASCII):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _nearby(file: str) -> str:
    """Write a path below the current folder without that folder."""
    path = Path(file)
    try:
        return str(path.relative_to(Path.cwd())) if path.is_absolute() else file
    except (ValueError, OSError):
        return file


def _named(name: str, value: str) -> str:
    return f"{name}={value}" if name else value


def _written(value: Plain) -> str:
    import json

    if isinstance(value, str):
        from gradcheck.cli.parameters import read_plain

        return value if read_plain(value) == value else json.dumps(value)
    return json.dumps(value)
