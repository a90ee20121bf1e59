"""One input, measured as planned; and planned again where the plan does not hold."""

from __future__ import annotations

from gradcheck.layers.protocol import Layer
from gradcheck.model import Settings
from gradcheck.numeric.layout import Layout, NotLocalError
from gradcheck.trial.linearity import Linearity
from gradcheck.trial.measure import Measured, compare_input
from gradcheck.trial.subject import Subject

# How often the pattern of which output sees which input is completed, before it is done without.
COMPLETED = 6


def measure_input(
    subject: Subject,
    name: str,
    linearity: Linearity,
    settings: Settings,
    axis: int | None,
    reference: Layer | None = None,
) -> Measured:
    """Measure the gradient with respect to one input, and compare.

    Colours rest on a pattern that was found by moving inputs far. An output that none of them woke (a ``relu`` just
    below 0) may wake beside the point: then what it sees there is added to the pattern, and the measurement begins
    anew. A pattern that is wrong in any other way is not used.
    """
    known: Layout | None = None
    for _ in range(COMPLETED):
        try:
            return compare_input(subject, name, linearity, settings, axis, reference, known=known)
        except NotLocalError as error:
            if error.layout is None:
                break
            from gradcheck.numeric.colouring import extend  # few layers need it

            known = extend(error.layout, error.missed, subject.weights.size)
            if known is None:
                break
    return compare_input(subject, name, linearity, settings, axis, reference, local=False)
