"""The one command that repeats a case, and the one that repeats it as small as it can be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gradcheck.casefile.draws import GIVEN
from gradcheck.cli.overrides import PLAIN, Overrides, apply
from gradcheck.errors import UsageError
from gradcheck.model import ANY_INPUT, Case, Plain, Reduction, Report, Settings


@dataclass(frozen=True, slots=True)
class Repeat:
    """What it takes to repeat a case; ``str()`` of it is the command.

    Attributes
    ----------
    found
        The case as it was found.
    overrides
        What the command line changed.
    case
        What became of it, and was run.
    """

    found: Case
    overrides: Overrides
    case: Case

    def __str__(self) -> str:
        settings = self.case.settings
        return write_command(self.found, self.overrides, settings.axis, settings.seed)

    def note(self, report: Report) -> None:
        """Write the commands into a report; a smaller case that no command can say is left out."""
        report.repeat = str(self)
        if report.reduced is not None:
            report.reduced.repeat = self._write_smaller(report.reduced)
            if not report.reduced.repeat:
                report.reduced = None

    def _write_smaller(self, reduction: Reduction) -> str:
        from gradcheck.runner.shrinking import apply_reduction

        smaller = apply_reduction(self.case, reduction)
        axis, seed = smaller.settings.axis, smaller.settings.seed
        commands = []
        for shapes in self._shapes(smaller):
            changed = replace(
                self.overrides,
                shapes=shapes,
                options={**self.overrides.options, **reduction.options},
                axes=(axis,) if axis is not None and self.overrides.axes else (),
                seed=seed,
            )
            try:
                cases = apply(self.found, changed)
            except UsageError:
                continue
            if [(each.inputs, each.options, each.layer) for each in cases] == [
                (smaller.inputs, smaller.options, smaller.layer)
            ] and _alike(cases[0].settings, smaller.settings):
                commands.append(write_command(self.found, changed, axis, seed))
        return min(commands, key=len, default="")

    def _shapes(self, smaller: Case) -> Iterator[dict[str, tuple[int, ...]]]:
        """Yield ways to say the shapes: one for all inputs, which follow the first that is drawn, or one for each."""
        first = next((spec.shape for spec in smaller.inputs.values() if spec.draw not in GIVEN), None)
        if first is not None:
            yield {"": first}
        before = {name: spec.shape for name, spec in self.found.inputs.items()}
        yield {
            name: spec.shape
            for name, spec in smaller.inputs.items()
            if spec.shape is not None and spec.shape != before.get(name) and name != ANY_INPUT
        }


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
    for option in ("order", *PLAIN):
        value = getattr(overrides, option)
        if value is not None and option != "seed":
            words += [f"--{option}", str(value)]
    return " ".join(map(quoted, [*words, "--seed", str(seed)]))


def target_of(case: Case) -> str:
    """Return the target that finds a case again: its place in a file, or its name."""
    if case.place is not None:
        return f"{_nearby(case.place.file)}::{case.name.rpartition('/')[2]}"
    target = case.layer.target
    return target if target is not None and ":" in target else case.name


def quoted(word: str) -> str:
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


def _alike(one: Settings, other: Settings) -> bool:
    """Whether two cases are checked alike, whatever else is looked for or drawn."""
    return replace(one, glance=False, pictures="none") == replace(other, glance=False, pictures="none")
