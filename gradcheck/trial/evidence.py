"""The measured truth and the account of the backward, as the rules want them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gradcheck.errors import GradcheckError, LayerError
from gradcheck.layers.constants import default_options
from gradcheck.layers.protocol import Array
from gradcheck.model import Plain
from gradcheck.numeric.jacobian import measure_jacobian
from gradcheck.rules.truth import Account, Truth
from gradcheck.trial.calls import SALT, Floats, draw_upstream
from gradcheck.trial.linearity import Linearity
from gradcheck.trial.subject import Subject, to_float64

# A Jacobian of more entries than this is not held for naming.
MOST_ENTRIES = 4_000_000
# Unit upstreams that the backward is asked for.
MOST_OUTPUTS = 4_000


def is_small(subject: Subject, most_entries: int = MOST_ENTRIES) -> bool:
    """Whether the Jacobians of the case are small enough to be held, measured and named."""
    m = sum(part.size for part in subject.outputs)
    n = sum(np.size(subject.given[name]) for name in subject.wrt)
    return m <= MOST_OUTPUTS and n <= MOST_OUTPUTS and m * n <= most_entries


def gather_truth(subject: Subject, axis: int | None) -> Truth:
    """Measure the Jacobians with respect to all differentiated inputs."""
    jacobians: dict[str, Floats] = {}
    bounds: dict[str, Floats] = {}
    for name in subject.wrt:
        x = np.asarray(subject.moved[name], np.float64)
        measured = measure_jacobian(_share(subject, name, subject.function(name), 4 * x.size), x, subject.rng)
        jacobians[name], bounds[name] = measured.value, measured.bound
    return Truth(
        inputs=dict(subject.moved),
        options={**default_options(subject.caller.layer), **subject.caller.options},
        outputs=subject.outputs,
        upstream=subject.upstream,
        axis=axis,
        wrt=subject.wrt,
        jacobians=jacobians,
        bounds=bounds,
        measure=_measurer(subject),
        forward=_forwarder(subject),
    )


def gather_account(subject: Subject, linearity: Linearity, contract: set[str]) -> Account:
    """Ask the backward for every unit upstream."""

    def vjp(upstream: Sequence[Array]) -> dict[str, Array] | None:
        try:
            return {**subject.caller.pull(subject.given, upstream, subject.wrt).gradients.by_input}
        except LayerError:
            return None

    def elsewhere(
        inputs: Mapping[str, Array], options: Mapping[str, Plain], upstream: Sequence[Array] | None
    ) -> tuple[dict[str, Array], tuple[Array, ...]] | None:
        try:
            given = {**subject.given, **inputs}
            merged = {**subject.caller.options, **options}
            if upstream is None:
                outputs = subject.caller.forward(given, merged)
                upstream = draw_upstream(outputs, np.random.default_rng(SALT))
            pull = subject.caller.pull(given, upstream, subject.wrt, options=merged)
        except LayerError:
            return None
        return dict(pull.gradients.by_input), tuple(upstream)

    return Account(
        gradients=dict(subject.first.gradients.by_input) if subject.first else {},
        implied=imply_jacobians(subject, linearity),
        offset=linearity.offset,
        linear=linearity.linear,
        vjp=vjp,
        elsewhere=elsewhere,
        contract=contract,
    )


def imply_jacobians(subject: Subject, linearity: Linearity) -> dict[str, Floats]:
    """Return by name the (M, n) Jacobian that the backward stands for: what it says of every unit upstream.

    Empty where it raises for one of them; without the gradients that cannot be compared.
    """
    size = sum(part.size for part in subject.outputs)
    rows: dict[str, list[Floats]] = {name: [] for name in subject.gradients}
    for i in range(size):
        unit = np.zeros(size)
        unit[i] = 1.0
        try:
            gradients = subject.vjp(subject.as_upstream(unit))
        except LayerError:
            return {}
        for name in list(rows):
            if name not in gradients:
                del rows[name]
                continue
            rows[name].append((gradients[name] - linearity.offset.get(name, 0.0)).ravel())
    return {name: np.asarray(part).reshape(size, -1) for name, part in rows.items()}


def _measurer(
    subject: Subject,
) -> Callable[[str, Mapping[str, Array], Mapping[str, Plain]], Floats | None]:
    def measure(name: str, inputs: Mapping[str, Array], options: Mapping[str, Plain]) -> Floats | None:
        moved = to_float64({**subject.given, **inputs}, subject.wrt)
        point = np.asarray(moved[name], dtype=np.float64)
        options = {**subject.caller.options, **options}
        function = subject.function(name, moved, options)
        try:
            first = function(point.copy())
            if not first.size or not point.size or first.size * point.size > MOST_ENTRIES:
                return None
            function = _share(subject, name, function, 4 * point.size, moved, options)
            value = measure_jacobian(function, point, np.random.default_rng(SALT)).value
        except GradcheckError:
            return None
        return value

    return measure


def _share(
    subject: Subject,
    name: str,
    function: Callable[[Floats], Floats],
    expected: int,
    inputs: Mapping[str, Array] | None = None,
    options: Mapping[str, Plain] | None = None,
) -> Callable[[Floats], Floats]:
    if subject.helpers is None:
        return function
    from gradcheck.trial.shared import share  # few runs have anybody to share with

    return share(subject, name, function, expected, inputs, options)


def _forwarder(
    subject: Subject,
) -> Callable[[Mapping[str, Array], Mapping[str, Plain]], tuple[Array, ...] | None]:
    def forward(inputs: Mapping[str, Array], options: Mapping[str, Plain]) -> tuple[Array, ...] | None:
        try:
            return subject.caller.forward(
                to_float64({**subject.given, **inputs}, subject.wrt), {**subject.caller.options, **options}
            )
        except LayerError:
            return None

    return forward
