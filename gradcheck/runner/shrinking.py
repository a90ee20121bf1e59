"""A failing case made smaller, before it is handed out: the smallest shapes that show the same bug.

It is no matter of the trial: every smaller case is a case of its own, tried where the case was and as carefully, since
shapes that nobody has thought of may crash a layer or keep it busy for ever. What is said to fail has failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from gradcheck.casefile.draws import GIVEN, spec_shape
from gradcheck.errors import UsageError
from gradcheck.layers.vocabulary import AXES
from gradcheck.model import ANY_INPUT, ANY_SHAPE, Case, Counts, InputSpec, Plain, Reduction, Report, Verdict

TRIES = 24
"""So many smaller cases are tried at most."""

CALLS = 2000
"""Calls of the layer that may be spent on it in any case; a case that needed more itself may spend thrice its own."""

PATIENCE = 10.0
"""Seconds that may be spent on it in any case, and at most a case's own limit; a slow one five times its own."""

Attempt = Callable[[Case, "float | None"], Report]
"""Tries a case within some seconds (``None``: no limit), and returns a report whatever becomes of it."""


def shrink(report: Report, case: Case, attempt: Attempt, limit: float | None = None) -> None:
    """Look for the smallest case that fails as this one does, and note it in the report.

    Nothing is tried for a case that passes or is as expected (a collection of known bugs costs no more than before),
    nor where no input is drawn with a shape of its own. Lengths that are equal shrink together, in all inputs; options
    that say such a length follow where the layer refuses otherwise. Lengths of inputs that are given, from a file or
    with pinned entries stay. Which case is found does not depend on the time, but for layers so slow that
    :data:`PATIENCE` ends the search.

    Parameters
    ----------
    report, case
        A case, and what was said of it.
    attempt
        Tries another case in the same way.
    limit
        Seconds that a case may take.
    """
    if report.verdict is not Verdict.FAIL or report.expected:
        return
    specs = case.inputs or {ANY_INPUT: InputSpec(shape=ANY_SHAPE)}
    kept = {length for spec in _fixed(case, specs) for length in spec_shape(spec) or ()}
    drawn = {name: spec.shape for name, spec in specs.items() if spec.shape and not _is_fixed(spec)}
    lengths = {length for shape in drawn.values() for length in shape if length > 1} - kept
    if not lengths:
        return
    patience = max(PATIENCE, 5 * report.seconds)
    search = _Search(
        replace(case, inputs=dict(specs), settings=replace(case.settings, glance=False, pictures="none")),
        report,
        drawn,
        attempt,
        time.monotonic() + (patience if limit is None else min(patience, limit)),
    )
    sizes = search.find(lengths)
    if search.best is None:
        return
    report.reduced = Reduction(
        {name: shape for name, shape in _resized(drawn, sizes).items() if shape != drawn[name]},
        {key: value for key, value in search.best.options.items() if value != case.options[key]},
        tries=search.tries,
        counts=search.counts,
    )


def apply_reduction(case: Case, reduction: Reduction) -> Case:
    """Return the smaller case."""
    specs = case.inputs or {ANY_INPUT: InputSpec(shape=ANY_SHAPE)}
    inputs = {name: replace(spec, shape=reduction.shapes.get(name, spec.shape)) for name, spec in specs.items()}
    return replace(case, inputs=inputs, options={**case.options, **reduction.options})


def _fixed(case: Case, specs: Mapping[str, InputSpec]) -> Iterator[InputSpec]:
    yield from (spec for spec in specs.values() if _is_fixed(spec))
    if isinstance(case.settings.upstream, list):
        yield from (spec for spec in case.settings.upstream if spec_shape(spec) is not None)


def _is_fixed(spec: InputSpec) -> bool:
    return spec.draw in GIVEN or bool(spec.pin)


def _resized(shapes: Mapping[str, tuple[int, ...]], sizes: Mapping[int, int]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(sizes.get(length, length) for length in shape) for name, shape in shapes.items()}


@dataclass(slots=True)
class _Search:
    """Which sizes of the lengths still show the bug; ``best`` is the case with the smallest of them so far."""

    case: Case
    report: Report
    drawn: dict[str, tuple[int, ...]]
    attempt: Attempt
    deadline: float
    best: Case | None = None
    tries: int = 0
    counts: Counts = field(default_factory=Counts)

    def find(self, lengths: set[int]) -> dict[int, int]:
        """Return the size that each length comes down to: first all of them together, then one after the other."""
        sizes = {length: length for length in lengths}
        for size in _growing(2, max(lengths)):
            together = {length: min(length, size) for length in lengths}
            if self._fails(together):
                sizes = together
                break
        before: dict[int, int] = {}
        while sizes != before:
            before = dict(sizes)
            for length in sorted(lengths, key=lambda each: (-sizes[each], each)):
                sizes = self._smallest(sizes, length)
        return sizes

    def _smallest(self, sizes: dict[int, int], length: int) -> dict[int, int]:
        """Find the smallest size of one length: from below, where a trial costs little, then between the last two."""
        below, above = 0, sizes[length]
        for size in _growing(1, above):
            if self._fails({**sizes, length: size}):
                above = size
                break
            below = size
        while above - below > 1:
            middle = (above + below) // 2
            if self._fails({**sizes, length: middle}):
                above = middle
            else:
                below = middle
        return {**sizes, length: above}

    def _fails(self, sizes: Mapping[int, int]) -> bool:
        resized = _resized(self.drawn, sizes)
        inputs = {name: replace(spec, shape=resized.get(name, spec.shape)) for name, spec in self.case.inputs.items()}
        smaller = replace(self.case, inputs=inputs)
        found = self._try(smaller)
        if found is not None and found.verdict is Verdict.ERROR:
            options = {key: _follow(key, value, sizes) for key, value in self.case.options.items()}
            if options != self.case.options:
                smaller = replace(smaller, options=options)
                found = self._try(smaller)
        if found is None or not _is_alike(found, self.report):
            return False
        self.best = smaller
        return True

    def _try(self, case: Case) -> Report | None:
        """Try a case, if there is anything left to spend."""
        own, spent = self.report.counts, self.counts.forwards + self.counts.backwards
        left = self.deadline - time.monotonic()
        if self.tries >= TRIES or spent >= max(CALLS, 3 * (own.forwards + own.backwards)) or left <= 0:
            return None
        self.tries += 1
        try:
            found = self.attempt(case, left)
        except UsageError:
            self.tries = TRIES  # a worker that cannot be started must not cost the case its report
            return None
        self.counts.forwards += found.counts.forwards
        self.counts.backwards += found.counts.backwards
        return found


def _growing(first: int, end: int) -> Iterator[int]:
    """Yield sizes from the first up to, not including, the end; by and by in larger steps."""
    while first < end:
        yield first
        first += max(1, first // 2)


def _follow(key: str, value: Plain, sizes: Mapping[int, int]) -> Plain:
    return sizes.get(value, value) if type(value) is int and key not in AXES else value


def _is_alike(found: Report, report: Report) -> bool:
    """Whether a smaller case shows the same bug, and is not consistent with more other ones."""
    if found.verdict is not Verdict.FAIL:
        return False
    if not report.findings or not found.findings:
        return not found.findings and not report.findings and _wrong(found) <= _wrong(report)
    one, other = found.findings[0], report.findings[0]
    return (one.rule, one.wrt, one.at) == (other.rule, other.wrt, other.at) and set(one.also) <= set(other.also)


def _wrong(report: Report) -> set[str]:
    return {part.name for part in report.inputs if part.verdict is Verdict.FAIL}
