"""The plain data that flows: Case, Report, Entry, Finding, Verdict.

Nothing here holds a callable or imports numpy: every value can be pickled and written as JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

Scalar: TypeAlias = "bool | int | float | str | None"
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"


MODES = ("auto", "full", "slices", "entries", "directions")
METHODS = ("central", "one-sided", "richardson", "complex-step", "reference")


class Verdict(str, Enum):
    """What is said of a case."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"
    ERROR = "error"

    def __str__(self) -> str:
        return self.value


class Severity(str, Enum):
    """How much a finding weighs: only a ``bug`` fails a case."""

    BUG = "bug"
    WARNING = "warning"
    NOTE = "note"

    def __str__(self) -> str:
        return self.value


class Status(str, Enum):
    """What is known of one entry of a gradient.

    ``FLOOR``: agrees, and is too small to be resolved. ``KINK``: lies between the one-sided derivatives.
    """

    PASS = "pass"
    FLOOR = "floor"
    KINK = "kink"
    UNDECIDED = "undecided"
    FAIL = "fail"
    NONFINITE = "nonfinite"

    def __str__(self) -> str:
        return self.value


# ---------------------------------------------------------------------------------------------------------------
# what is to be checked


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; line and column count from 1."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(slots=True)
class InputSpec:
    """How one input array is drawn.

    Attributes
    ----------
    draw
        ``normal``, ``uniform``, ``positive``, ``integers``, ``one-hot``, ``simplex``, ``distinct``,
        ``away-from``, ``bernoulli``, ``ties``, ``constant``, ``permutation``, ``values`` or ``file``.
    shape
        Shape of the array; not needed for ``values`` and ``file``.
    dtype
        NumPy name of the dtype; by default that of the draw (float64 or int64).
    parameters
        Numbers of the draw (``scale``, ``loc``, ``low``, ``high``, ``gap``, ``from``, ``p``, ``value``,
        ``values``, ``file``, ``axis``).
    pin
        Entries set after the draw: pairs of an index and a value.
    """

    draw: str = "normal"
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    parameters: dict[str, Plain] = field(default_factory=dict)
    pin: list[tuple[tuple[int, ...], float]] = field(default_factory=list)


@dataclass(slots=True)
class LayerSpec:
    """Which code is the layer, and how it is called. Exactly one of target, forward, object, node, chain is given.

    Attributes
    ----------
    target
        A name (an entry point) or a reference (``module:attr``, ``file.py:attr``) whose kind is found by its type.
    forward, backward
        References to two functions; beside ``object`` or ``node`` they are the names of its methods.
    object
        Reference to a class or an instance with a forward and a backward method.
    node
        Reference to a class of graph nodes that accumulate into their parents.
    chain
        Layers applied one after the other, first to last.
    returns
        What the backward returns: ``vjp``, ``jacobian``, ``derivative`` or ``gradient``.
    bind
        Argument of the user's function -> ``upstream``, ``output``, ``input:NAME``, ``option:NAME`` or a name.
    init
        Arguments of the constructor of ``object``.
    parameters
        Parameter of an object -> where its gradient is found after backward (``dW``, ``grads["W"]``, ``W.grad``).
    value, gradient
        Names of a node's attributes for its data and its accumulated gradient.
    label
        Name of the link in a chain, or of the layer on screen.
    inputs
        In a chain: which names of the case the link takes besides the output of the link before it.
    base
        Folder that relative file references start from.
    """

    target: str | None = None
    forward: str | None = None
    backward: str | None = None
    object: str | None = None
    node: str | None = None
    chain: list[LayerSpec] | None = None
    returns: str = "vjp"
    bind: dict[str, str] = field(default_factory=dict)
    init: dict[str, Plain] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    value: str = "data"
    gradient: str = "grad"
    label: str | None = None
    inputs: list[str] | None = None
    base: str = ""


@dataclass(slots=True)
class Expectation:
    """What a case is expected to say: a verdict, and perhaps the first finding, of an input, in a link of a chain."""

    verdict: Verdict = Verdict.PASS
    finding: str | None = None
    wrt: str | None = None
    at: str | None = None


@dataclass(slots=True)
class Settings:
    """How a case is checked; ``None`` means: chosen by the tool.

    Attributes
    ----------
    wrt
        Names of the inputs (or parameters) that are differentiated.
    axis
        Axis along which the table is cut into slices.
    upstream
        ``None`` (signed Gaussian), the name of a draw, or the spec of one per output.
    mode
        ``auto``, ``full``, ``slices``, ``entries`` or ``directions``.
    method
        ``central``, ``one-sided``, ``richardson``, ``complex-step`` or ``reference``.
    rtol
        Relative difference that nobody cares about; ``None``: 1e-7 in float64, 32 round-offs below.
    atol
        Absolute difference that nobody cares about; ``None``: relative to the gradient itself.
    eps
        Step of the differences, absolute; ``None``: measured.
    reference
        The other implementation that the method ``reference`` compares with.
    budget
        Forward calls that a case may cost.
    memory
        Bytes that a measurement may hold.
    probes
        Whether other points than the case's own are looked at (memory, strides, large inputs).
    naming
        Whether the bug of a failing case is named; samples of many thousands of cases do without.
    glance
        Whether the worst blind spot of a small case is looked for.
    """

    wrt: tuple[str, ...] | None = None
    axis: int | None = None
    upstream: str | list[InputSpec] | None = None
    seed: int = 0
    mode: str = "auto"
    method: str = "central"
    reference: LayerSpec | None = None
    rtol: float | None = None
    atol: float | None = None
    eps: float | None = None
    budget: int = 20_000
    memory: int = 1 << 30
    probes: bool = True
    naming: bool = True
    glance: bool = False


@dataclass(slots=True)
class Case:
    """A layer plus inputs, options, axis, tolerances and what is expected of it.

    ``given``: names of the settings that the case file gives, so that nothing else is preferred to them.
    """

    name: str
    layer: LayerSpec
    inputs: dict[str, InputSpec] = field(default_factory=dict)
    options: dict[str, Plain] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    expect: Expectation = field(default_factory=Expectation)
    tags: tuple[str, ...] = ()
    about: str = ""
    timeout: float | None = None
    place: Place | None = None
    variant: dict[str, Plain] = field(default_factory=dict)
    given: tuple[str, ...] = field(default=(), compare=False, repr=False)


# ---------------------------------------------------------------------------------------------------------------
# what was found


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
class Grid:
    """Three arrays of one shape, flattened in C order, kept for drawing while they are small.

    ``wrong``: places in them of the entries that failed.
    """

    shape: tuple[int, ...]
    analytic: list[float]
    numeric: list[float]
    bound: list[float]
    wrong: list[int] = field(default_factory=list)


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
    """A bug that the case as it stands could not reveal, why, and what would."""

    rule: str
    cause: str
    cure: str
    case: str = ""
    wrt: str | None = None


@dataclass(slots=True)
class Counts:
    """Calls of the user's code."""

    forwards: int = 0
    backwards: int = 0


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
    source: Place | None = None
    place: Place | None = None
    tags: tuple[str, ...] = ()
    about: str = ""
    seconds: float = 0.0

    @property
    def entries(self) -> list[Entry]:
        """The worst entries of all inputs, most wrong first."""
        return [entry for part in self.inputs for entry in part.worst]

    @property
    def failed(self) -> bool:
        """Whether the verdict is ``fail``."""
        return self.verdict is Verdict.FAIL

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
