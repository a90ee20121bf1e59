"""What is to be checked, and how."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradcheck.model.words import Plain, Verdict

ANY_INPUT = "*"
"""The name under which a case keeps the spec of every input that it does not name."""

ANY_SHAPE = (4, 5)
"""Shape of inputs of which nothing is said at all."""


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
        Names of the inputs and parameters that are differentiated; ``None``: those of floating point, and all
        parameters of the layer's own that its backward leaves gradients of.
    axis
        Axis along which the table is cut into slices.
    upstream
        ``None`` (signed Gaussian), the name of a draw, or the spec of one per output.
    mode
        ``auto``, ``full``, ``slices``, ``coloured``, ``entries`` or ``directions``.
    method
        ``central``, ``one-sided``, ``richardson``, ``complex-step`` or ``reference``.
    rtol
        Relative difference that nobody cares about; ``None``: 1e-7 in float64, 32 round-offs below.
    atol
        Absolute difference that nobody cares about; ``None``: relative to the gradient itself.
    eps
        Step of the differences, absolute; ``None``: measured.
    order
        Derivatives of which order somebody asked for, to be sure that the layer has them; the option ``order`` asks the
        framework for them.
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
    pictures
        Of which inputs a report keeps the Jacobian and the error against the step: ``none``, ``wrong`` or ``all``.
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
    pictures: str = "none"
    order: int | None = None


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
