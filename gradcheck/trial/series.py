"""Many backward calls at the same inputs: after a single forward, where that is seen to change nothing."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array
from gradcheck.trial.calls import Floats, Pull, equal_bits
from gradcheck.trial.subject import Subject, comparable


class Series:
    """Asks the backward again and again, at the case's inputs.

    A training loop calls the forward before each backward, and a layer may count on that. Most do not: the first
    upstream is asked for twice, the second time without a forward, and where no bit differs the forward is left out.
    A layer that spoils what its forward left only slowly is found out by :meth:`is_steady` at the end.
    """

    def __init__(self, subject: Subject, *, forwards: bool = False) -> None:
        self._subject = subject
        self._last: Pull | None = None
        self._upstream: Sequence[Array] = ()
        # what a forward finds is put back before each one, and so each backward has a forward of its own
        self._single: bool | None = False if forwards or subject.caller.luck is not None else None

    def ask(self, upstream: Sequence[Array]) -> dict[str, Floats]:
        """Return the comparable gradients for an upstream, valid until the next call."""
        self._upstream = upstream
        if self._single and self._last is not None:
            return self._look(self._again(self._last, upstream))
        if self._single is None:
            self._single = self._repeats(upstream)
        pull = self._last = self._subject.caller.ask(self._subject.given, upstream, self._subject.wrt)
        return self._look(pull)

    def is_steady(self) -> bool:
        """Whether the last upstream gets the same answer after a forward and without one."""
        return not self._single or self._repeats(self._upstream)

    def _repeats(self, upstream: Sequence[Array]) -> bool:
        caller, given, wrt = self._subject.caller, self._subject.given, self._subject.wrt
        pull = self._last or caller.ask(given, upstream, wrt)
        try:
            answer = self._again(pull, upstream).gradients.by_input
            alone = {name: value.copy() for name, value in answer.items()}
        except LayerError:  # what the forward left is used up
            return False
        after = caller.ask(given, upstream, wrt).gradients.by_input
        return alone.keys() == after.keys() and all(equal_bits(alone[name], after[name]) for name in alone)

    def _again(self, pull: Pull, upstream: Sequence[Array]) -> Pull:
        subject = self._subject
        return subject.caller.ask(subject.given, upstream, subject.wrt, outputs=pull.outputs)

    def _look(self, pull: Pull) -> dict[str, Floats]:
        return comparable(pull, self._subject.given)
