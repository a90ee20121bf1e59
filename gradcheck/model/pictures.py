"""What a report keeps to be drawn."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Grid:
    """Three arrays of one shape, flattened in C order, kept for drawing while they are small.

    Attributes
    ----------
    wrong
        Places in them of the entries that failed.
    outputs
        Of a Jacobian (all outputs x the input, both flattened): the shapes of the outputs that its rows number.
    """

    shape: tuple[int, ...]
    analytic: list[float]
    numeric: list[float]
    bound: list[float]
    wrong: list[int] = field(default_factory=list)
    outputs: list[tuple[int, ...]] = field(default_factory=list)


@dataclass(slots=True)
class Curve:
    """One entry of a gradient, measured with many steps: why the verdict holds.

    Attributes
    ----------
    index
        Index into the input array.
    steps, errors
        Absolute steps from the shortest, and how far the central difference is from ``numeric``; nan outside of the
        domain.
    numeric, bound
        The derivative as it was measured at the chosen step, and how far that may be from the truth.
    analytic
        What the backward says.
    chosen, best
        The step that was chosen, and that of the smallest error.
    roundoff, truncation
        Exponents of the two branches; nan where there is none.
    evaluations
        Forward calls spent on it.
    """

    index: tuple[int, ...]
    steps: list[float]
    errors: list[float]
    numeric: float
    bound: float
    analytic: float
    chosen: float
    best: float
    roundoff: float
    truncation: float
    evaluations: int
