"""How much is measured of one input: chosen from its size, the structure found, and the budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.model import Settings
from gradcheck.numeric.layout import Layout, find_layout
from gradcheck.trial.calls import Floats
from gradcheck.trial.subject import Subject

# Inputs up to this size are not worth looking for structure.
SMALL = 64
# Backward calls that the whole analytic Jacobian may cost, and numbers that its blocks may hold.
MOST_BACKWARDS = 1_200
MOST_NUMBERS = 20_000_000
# Evaluations that the start-up of an input is worth (numerics 4.2), when a mode is chosen.
START = 60
# Evaluations from where on it is worth finding out whether several points can go through one call.
MANY = 2 * SMALL


@dataclass(frozen=True, slots=True)
class Plan:
    """How one input is measured.

    Attributes
    ----------
    mode
        ``full``, ``slices``, ``coloured``, ``entries`` or ``directions``.
    layout
        Which outputs belong to which inputs.
    blocks
        Whether the Jacobian is kept, and compared block by block.
    stackable
        Whether the input may have a first axis whose parts do not see each other.
    """

    mode: str
    layout: Layout
    blocks: bool
    stackable: bool = True


def choose_plan(
    subject: Subject,
    name: str,
    settings: Settings,
    function: Callable[[Floats], Floats],
    x: Floats,
    *,
    local: bool = True,
    known: Layout | None = None,
) -> Plan:
    """Choose the mode of one input.

    Small inputs are measured in full; of larger ones the structure is looked for first. Where a layer treats slices
    independently all slices are moved at once; where each output sees few inputs, all inputs that no output sees two
    of. The blocks of the Jacobian are compared as long as they can be held. Without structure every entry of one VJP
    is measured, as long as that stays within the budget.

    ``local``: whether it may be tried that outputs see few inputs; ``known``: which ones, where that was found before.

    Raises
    ------
    UsageError
        If a mode was asked for that costs more than the case may.
    """
    if known is not None:
        return Plan("coloured", known, True, False)
    m = subject.weights.size
    whole = Layout.whole(x.size, m)
    budget = settings.budget // max(len(subject.wrt), 1)
    if settings.mode in ("full", "entries"):
        _afford(subject, settings)
    if settings.mode == "full":
        return Plan("full", whole, True)
    if settings.mode in ("entries", "directions"):
        return Plan(settings.mode, whole, False, settings.mode == "entries")
    if settings.mode == "auto" and x.size <= SMALL:
        return Plan("full", whole, m <= MOST_BACKWARDS)
    home = function(x.copy())
    shapes = [part.shape for part in subject.outputs]
    layout = find_layout(function, x, home, shapes, subject.rng, eps=subject.precision)
    columns = x.size if layout is None else layout.width
    if local and settings.mode != "slices" and (columns > MANY or settings.mode == "coloured"):
        coloured = _find_colours(subject, settings, function, x, home, columns)
        if coloured is not None:
            return coloured
    alone = x.shape[:1] == (1,)
    if layout is not None:
        width = layout.outputs.shape[1]
        kept = width <= MOST_BACKWARDS and m * layout.width <= MOST_NUMBERS
        return Plan("slices", layout, kept, alone or 0 in layout.axes)
    full = m <= MOST_BACKWARDS and m * x.size <= MOST_NUMBERS // 20
    if 2 * x.size + START <= budget or settings.mode != "auto":
        return Plan("full" if full else "entries", whole, full, alone)
    return Plan("directions", whole, False, False)


def _find_colours(
    subject: Subject,
    settings: Settings,
    function: Callable[[Floats], Floats],
    x: Floats,
    home: Floats,
    columns: int,
) -> Plan | None:
    """Plan with colours, where they save half of the evaluations at least, or are asked for."""
    if settings.method != "central" or not subject.steady:
        return None
    from gradcheck.numeric.colouring import find_local  # what small cases and slices do without

    # two evaluations a colour to find them, and four to measure
    most = min(columns // 6, settings.budget // 6) if settings.mode == "auto" else x.size
    layout = find_local(function, x, home, subject.rng, most)
    return None if layout is None else Plan("coloured", layout, True, False)


def _afford(subject: Subject, settings: Settings) -> None:
    """Refuse a mode that was asked for and cannot be paid, before anything is spent on it."""
    budget = subject.caller.budget
    needed = sum(2 * np.size(subject.given[name]) + START for name in subject.wrt)
    if budget is None or needed <= budget:
        return
    per_unit = max(1, budget // max(settings.budget, 1))
    raise UsageError(
        f"mode {settings.mode} needs some {needed} forward calls, and this case may cost {budget}",
        f"leave the mode to gradcheck, use mode directions, or set the budget to {-(-needed // per_unit)}",
    )
