"""Every exception that a user can meet, each with a message that says what to do, and what a slip was meant for.

::

    GradcheckError
    ├── UsageError            the request cannot be carried out (exit status 2)
    │   ├── CaseFileError     a case file does not say something sensible; carries its complaints
    │   ├── NameLookupError   a name that exists nowhere, or twice
    │   └── BindingError      an argument that could mean two things
    ├── LayerError            the layer raised, or returned what no layer returns (verdict ``error``)
    └── GradientMismatch      raised by ``assert_gradients``; also an AssertionError
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SYNONYMS = {
    "gaussian": "normal",
    "randn": "normal",
    "rand": "uniform",
    "randint": "integers",
    "int": "integers",
    "const": "constant",
    "probabilities": "simplex",
    "shuffle": "permutation",
    "mean": "loc",
    "mu": "loc",
    "std": "scale",
    "sigma": "scale",
    "min": "low",
    "max": "high",
    "dist": "draw",
    "distribution": "draw",
    "size": "shape",
    "data": "values",
    "tolerance": "rtol",
    "tol": "rtol",
    "epsilon": "eps",
    "step": "eps",
    "kwargs": "options",
    "parameters": "options",
    "description": "about",
    "dim": "axis",
    "ok": "pass",
    "passed": "pass",
    "failed": "fail",
}
"""What other tools call it."""

LISTED = 30
"""So many of the words that there are, are listed."""


class GradcheckError(Exception):
    """Anything that gradcheck itself raises on purpose."""


class UsageError(GradcheckError):
    """The request cannot be carried out as it stands.

    Parameters
    ----------
    message
        What happened, one line.
    help
        What to do about it, or an empty string.
    """

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help

    def __str__(self) -> str:
        return f"{self.message}\n  = help: {self.help}" if self.help else self.message


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong at one place of a file; ``line`` and ``column`` count from 1 (0: no place)."""

    file: str
    line: int
    column: int
    message: str
    excerpt: str = ""
    width: int = 1
    help: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: "
        lines = [f"{place}error: {self.message}"]
        if self.excerpt:
            margin = " " * len(str(self.line))
            caret = " " * (self.column - 1) + "^" * max(1, self.width)
            lines += [f"{margin} |", f"{self.line} | {self.excerpt}", f"{margin} | {caret}"]
        if self.help:
            lines.append(f"  = help: {self.help}")
        return "\n".join(lines)


class CaseFileError(UsageError):
    """A case file with one or more complaints, all shown at once."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(map(str, complaints)))


class NameLookupError(UsageError):
    """A layer, case, module or attribute that does not exist, or exists twice."""


class BindingError(UsageError):
    """An argument of a layer that cannot be bound without a word from its author."""


class LayerError(GradcheckError):
    """The layer under test raised, or returned something that is no array.

    Parameters
    ----------
    message
        What happened, in terms of the layer (``forward raised ValueError: ...``).
    trace
        The layer's own traceback as text, shown with ``--debug``.
    """

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.trace = trace


class GradientMismatch(GradcheckError, AssertionError):  # noqa: N818
    """Raised by :func:`gradcheck.assert_gradients`; the message is the table."""


def nearest(word: object, known: Iterable[str], count: int = 1, *, alike: float = 0.6) -> list[str]:
    """Return the known words that look like a misspelt one, or are meant by it elsewhere, best first.

    Parameters
    ----------
    word
        What was written; what is no text is like nothing.
    known
        The words there are. Capitals and underscores make no difference.
    count
        The most words to return.
    alike
        How like a word must be, from 0 to 1.
    """
    if not isinstance(word, str) or len(word) > 200:  # the matcher is quadratic
        return []
    import difflib  # only a slip pays for it

    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(_fold(each), each)
    meant = {other: folded[each] for other, each in SYNONYMS.items() if each in folded and other not in folded}
    folded.update(meant)
    found = difflib.get_close_matches(_fold(word), folded, n=count, cutoff=alike)
    return list(dict.fromkeys(folded[each] for each in found))


def suggest(word: object, known: Iterable[str]) -> str:
    """Return the line of help for an unknown word: what was probably meant, else what there is, if anything.

    Examples
    --------
    >>> suggest("ful", ["auto", "full"])
    "did you mean 'full'?"
    >>> suggest("x", ["auto", "full"])
    'there are auto, full'
    """
    known = list(known)
    near = nearest(word, known)
    if near:
        return f"did you mean '{_plain(near[0])}'?"
    if not known:
        return ""
    listed = ", ".join(map(_plain, known[:LISTED])) + (", …" if len(known) > LISTED else "")
    return f"there {'is' if len(known) == 1 else 'are'} {listed}"


def hint(word: object, known: Iterable[str]) -> str:
    """Return what was probably meant as an aside for the end of a message: `` (did you mean 'full'?)``, or nothing."""
    near = nearest(word, known)
    return f" (did you mean '{_plain(near[0])}'?)" if near else ""


def _fold(word: str) -> str:
    return word.lower().replace("_", "-")


def _plain(word: str) -> str:
    """Return a word with what would not print as escapes."""
    return word if word.isprintable() else ascii(word)[1:-1]
