"""What was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gradcheck.model.case import Expectation, Place
from gradcheck.model.pictures import Curve, Grid
from gradcheck.model.words import Plain, Severity, Status, Verdict


@dataclass(slots=True)
class Entry:
    """One entry of a gradient.

    Attributes
    ----------
    index
        Index into the input array.
    analytic, numeric, bound
        What the backward returned, what was measured, and how far the measurement may be from the truth.
    error
        ``|a - n| / max(|a|, |n|, bound / tau)``: the number that the verdict used.
    at_least
        Relative error that is certain, given the bound.
    """

    index: tuple[int, ...]
    analytic: float
    numeric: float
    bound: float
    error: float
    at_least: float
    status: Status


@dataclass(slots=True)
class SliceSummary:
    """The worst entry of one slice, and how many of its entries are wrong."""

    label: str
    worst: Entry
    wrong: int
    undecided: int
    size: int


@dataclass(slots=True)
class InputReport:
    """Everything that is said of the gradient with respect to one input.

    Attributes
    ----------
    counts
        Number of entries by status.
    compared
        How many entries were compared one by one (0 in ``directions`` that agree).
    error
        Largest relative error (as in :class:`Entry`).
    margin
        How many times the worst difference fits into what would be accepted; below 1 where something is wrong.
    resolution
        The smallest relative error of a typical entry that this check would have seen.
    minimum_rtol, minimum_atol, minimum_at
        The smallest tolerances that would have passed, and the entry that asks for them.
    slices
        Per slice along the axis, most wrong first, capped.
    gradient, jacobian, curve
        What is drawn of it; the last two are there where they were asked for (:attr:`Settings.pictures`).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    verdict: Verdict
    axis: int | None = None
    size: int = 0
    compared: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    error: float = 0.0
    margin: float | None = None
    resolution: float | None = None
    norm: float = 0.0
    minimum_rtol: float | None = None
    minimum_atol: float | None = None
    minimum_at: tuple[int, ...] | None = None
    slices: list[SliceSummary] = field(default_factory=list)
    slices_total: int = 0
    slices_wrong: int = 0
    worst: list[Entry] = field(default_factory=list)
    gradient: Grid | None = None
    jacobian: Grid | None = None
    curve: Curve | None = None
    vacuous: bool = False


@dataclass(slots=True)
class Finding:
    """One named thing that is wrong or suspicious.

    Attributes
    ----------
    rule
        Id of the rule (``stale-slice-counter``); ``gradcheck explain`` prints its page.
    message
        What happened, in terms of this case; one sentence.
    remedy
        What to do about it; one sentence.
    evidence
        Numbers and facts behind the name: ``explained`` and ``truth`` are the relative distances of the analytic
        gradient from the rule's prediction and from the true gradient.
    wrt, at
        Which input, and which link of a chain.
    also
        Other rules that explain the same numbers.
    """

    rule: str
    severity: Severity
    message: str
    remedy: str = ""
    evidence: dict[str, Plain] = field(default_factory=dict)
    wrt: str | None = None
    at: str | None = None
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class BlindSpot:
    """A bug that the case as it stands could not reveal, why, and what would.

    Attributes
    ----------
    cause, cure
        Why, and what would, in words.
    changes
        The cure as changes of the case: ``upstream`` (``default``, or its numbers), ``seed`` (added to it), ``wrt``
        (added to it), ``options`` by name, and ``inputs`` by name (``*``: all), each with ``generic`` (drawn anew),
        ``lengths`` (pairs of an axis and its length), ``longer`` (the last axis, by so many), ``pin`` (the value of one
        entry), ``labels`` (``repeated`` or ``negative``), or ``draw`` with its parameters and ``dtype``.
    """

    rule: str
    cause: str
    cure: str
    case: str = ""
    wrt: str | None = None
    changes: dict[str, Plain] = field(default_factory=dict)


@dataclass(slots=True)
class Counts:
    """Calls of the user's code.

    Attributes
    ----------
    forwards, backwards
        How many there were.
    points
        Points at which the forward was evaluated: more than calls where several went through one.
    pictures
        Forward calls beside the others, for what is only drawn.
    """

    forwards: int = 0
    backwards: int = 0
    points: int = 0
    pictures: int = 0


@dataclass(slots=True)
class Reduction:
    """A failing case made smaller: the shapes with which it still fails, and with the same first finding.

    Attributes
    ----------
    shapes
        Shapes of the inputs that are drawn smaller, by name; ``*`` stands for those that the case does not name.
    options
        Options that say a length, where the layer refuses the smaller shapes otherwise.
    repeat
        The command that repeats it.
    tries, counts
        How many smaller cases were tried, and how often that called the layer.
    """

    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    options: dict[str, Plain] = field(default_factory=dict)
    repeat: str = ""
    tries: int = 0
    counts: Counts = field(default_factory=Counts)


_drawer: Callable[[Report], str] | None = None


def use_drawer(draw: Callable[[Report], str]) -> None:
    """Say how ``print(report)`` draws; the report package cannot be imported from down here."""
    global _drawer  # noqa: PLW0603
    _drawer = draw


@dataclass(slots=True)
class Report:
    """What was found out about one case. ``print(report)`` is the table.

    Attributes
    ----------
    findings
        The best explanation first.
    error
        Where the verdict is ``error``: what happened.
    expected
        Whether the report is as the case expects; a failing case that is expected to fail does not fail the run.
    surprise
        Where it is not as expected: in what way.
    repeat
        The command that repeats this case.
    reduced
        The smallest case that still fails with the same first finding; ``None`` where none was looked for or found.
    """

    name: str
    verdict: Verdict
    findings: list[Finding] = field(default_factory=list)
    inputs: list[InputReport] = field(default_factory=list)
    layer: str = ""
    options: dict[str, Plain] = field(default_factory=dict)
    axis: int | None = None
    seed: int = 0
    mode: str = ""
    counts: Counts = field(default_factory=Counts)
    blind: list[BlindSpot] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    trace: str = ""
    output: str = ""
    expect: Expectation = field(default_factory=Expectation)
    expected: bool = True
    surprise: str = ""
    repeat: str = ""
    reduced: Reduction | None = None
    source: Place | None = None
    place: Place | None = None
    tags: tuple[str, ...] = ()
    about: str = ""
    seconds: float = 0.0

    @property
    def bug(self) -> Finding | None:
        """The best explanation of what is wrong: the first finding that is a bug, if there is one."""
        return next((finding for finding in self.findings if finding.severity is Severity.BUG), None)

    def __str__(self) -> str:
        return _drawer(self) if _drawer is not None else repr(self)


@dataclass(slots=True)
class Audit:
    """Which bugs a case, as it stands, could have revealed.

    Attributes
    ----------
    seen
        Rules whose bug the case would have caught.
    blind
        Those that it could not, with cause and cure.
    moot
        Rules that do not apply to this layer at all.
    """

    name: str
    seen: list[str] = field(default_factory=list)
    blind: list[BlindSpot] = field(default_factory=list)
    moot: list[str] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Share of the applicable bugs that the case would have caught, from 0 to 1."""
        total = len(self.seen) + len(self.blind)
        return len(self.seen) / total if total else 1.0
