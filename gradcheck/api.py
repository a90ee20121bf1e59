"""The library: check a layer, audit a check, assert in a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from gradcheck.casefile.draw import draw
from gradcheck.errors import GradientMismatch, UsageError
from gradcheck.layers.build import wrap
from gradcheck.layers.protocol import Array, Layer
from gradcheck.layers.vocabulary import AXES
from gradcheck.model import MODES, Audit, Expectation, InputSpec, Plain, Report, Settings, Verdict, use_drawer
from gradcheck.report.escape import visible
from gradcheck.report.terminal import draw as draw_report
from gradcheck.report.words import name_of
from gradcheck.trial.calls import Caller
from gradcheck.trial.case import check_axis, with_axis
from gradcheck.trial.expectation import judge
from gradcheck.trial.trial import try_layer

if TYPE_CHECKING:
    from typing_extensions import Unpack

use_drawer(draw_report)

Upstream: TypeAlias = "npt.ArrayLike | tuple[npt.ArrayLike, ...] | str | None"


class Arguments(TypedDict, total=False):
    """The keyword arguments of :func:`check`, which explains them."""

    wrt: str | Sequence[str] | None
    options: Mapping[str, Plain] | None
    axis: int | None
    bind: Mapping[str, str] | None
    returns: str
    upstream: Upstream
    seed: int
    mode: str
    rtol: float | None
    atol: float | None
    eps: float | None


def check(
    layer: object,
    backward: object = None,
    inputs: Mapping[str, npt.ArrayLike] | None = None,
    *,
    wrt: str | Sequence[str] | None = None,
    options: Mapping[str, Plain] | None = None,
    axis: int | None = None,
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    upstream: Upstream = None,
    seed: int = 0,
    mode: str = "auto",
    rtol: float | None = None,
    atol: float | None = None,
    eps: float | None = None,
) -> Report:
    """Check a hand-written backward pass against measured derivatives whose error is known.

    Parameters
    ----------
    layer
        A forward function (with ``backward``), or any layer: an object or class with a forward and a backward, a
        graph node, a list of layers (a chain), a framework's function.
    backward
        The backward function; its arguments are bound by name (``bind`` settles what stays ambiguous).
    inputs
        Arrays by the name that the forward gives them, of any shape; labels and masks too.
    wrt
        Names of the inputs and parameters that are differentiated; by default those of floating point, and the
        layer's own parameters that its backward leaves gradients of.
    options
        Other arguments of the forward, such as ``axis`` or ``reduction``.
    axis
        Axis along which the table is cut into slices; handed to the forward if it takes ``axis`` or ``dim``.
    bind
        Argument of the user's function -> ``upstream``, ``output``, or the name of an input or option.
    returns
        What the backward returns: ``vjp``, ``jacobian``, ``derivative`` or ``gradient``.
    upstream
        An array of the output's shape, a tuple of arrays for several outputs, or the name of a draw (``ones``).
        A signed Gaussian by default.
    seed
        Seed of everything that is drawn; the same seed gives the same report.
    mode
        ``auto``, ``full``, ``slices``, ``coloured``, ``entries`` or ``directions``.
    rtol, atol
        Relative and absolute difference that nobody cares about; measured and derived by default.
    eps
        Absolute step of the differences; measured by default.

    Returns
    -------
    Report
        ``report.verdict``, ``report.findings`` (the best explanation first), ``report.inputs``; ``print(report)`` is
        the table. A layer that raises gives the verdict ``error``.

    Raises
    ------
    UsageError
        If the request makes no sense: an unknown name, an axis out of range, an argument that stays ambiguous.
    """
    request = _request(
        layer,
        backward,
        inputs,
        Arguments(
            wrt=wrt,
            options=options,
            axis=axis,
            bind=bind,
            returns=returns,
            upstream=upstream,
            seed=seed,
            mode=mode,
            rtol=rtol,
            atol=atol,
            eps=eps,
        ),
    )
    report = try_layer(
        request.layer,
        request.inputs,
        options=request.options,
        settings=request.settings,
        upstream=request.upstream,
    )
    judge(report, Expectation())
    return report


def audit(
    layer: object,
    backward: object = None,
    inputs: Mapping[str, npt.ArrayLike] | None = None,
    **arguments: Unpack[Arguments],
) -> Audit:
    """Say which bugs a check with these arguments could have noticed, and which it could not.

    The arguments are those of :func:`check`.

    Returns
    -------
    Audit
        ``audit.blind`` lists the blind spots, each with ``rule``, ``cause`` and ``cure``; ``audit.score`` is the
        share of the applicable bugs that the check would have caught.

    Raises
    ------
    UsageError
        As :func:`check` does.
    LayerError
        If the forward raises.
    """
    from gradcheck.trial.blind import audit_layer  # only audits need it

    request = _request(layer, backward, inputs, arguments)
    return audit_layer(
        request.layer, request.inputs, options=request.options, settings=request.settings, upstream=request.upstream
    )


def assert_gradients(
    layer: object,
    backward: object = None,
    inputs: Mapping[str, npt.ArrayLike] | None = None,
    *,
    allow_undecided: bool = False,
    **arguments: Unpack[Arguments],
) -> None:
    """Raise unless :func:`check` with the same arguments passes.

    Parameters
    ----------
    allow_undecided
        Whether a check that cannot tell is accepted as well.

    Raises
    ------
    GradientMismatch
        (an ``AssertionError``) whose message says what is wrong in its first line; the table follows.
    """
    report = check(layer, backward, inputs, **arguments)
    accepted = {Verdict.PASS, Verdict.UNDECIDED} if allow_undecided else {Verdict.PASS}
    if report.verdict not in accepted:
        raise mismatch(report)


def mismatch(report: Report) -> GradientMismatch:
    """Return the error of a report; its first line is all that the summary of pytest has room for."""
    return GradientMismatch(f"{visible(report.name)}: {name_of(report)}\n{report}")


@dataclass(slots=True)
class _Request:
    """The arguments of a check, brought into the form that the trial takes."""

    layer: Layer
    inputs: dict[str, Array]
    options: dict[str, Plain]
    settings: Settings
    upstream: tuple[Array, ...] | None


def _request(
    layer: object, backward: object, inputs: Mapping[str, npt.ArrayLike] | None, arguments: Arguments
) -> _Request:
    arrays = _named(inputs)
    _check_numbers(arguments)
    axis, seed, mode = arguments.get("axis"), arguments.get("seed", 0), arguments.get("mode", "auto")
    given = arguments.get("options") or {}
    options = with_axis(given, axis)
    if mode not in MODES:
        raise UsageError(f"unknown mode {mode!r}", f"choose one of {', '.join(MODES)}")
    built = wrap(
        layer,
        backward,
        bind=arguments.get("bind"),
        returns=arguments.get("returns", "vjp"),
        inputs=tuple(arrays) or None,
        options=options,
    )
    check_axis(axis, arrays)
    if not set(AXES) & set(built.options):
        options = dict(given)
    wrt = arguments.get("wrt")
    settings = Settings(
        wrt=(wrt,) if isinstance(wrt, str) else tuple(wrt) if wrt is not None else None,
        axis=axis,
        seed=seed,
        mode=mode,
        rtol=arguments.get("rtol"),
        atol=arguments.get("atol"),
        eps=arguments.get("eps"),
    )
    upstream = _upstream(arguments.get("upstream"), built, arrays, options, seed)
    return _Request(built, arrays, options, settings, upstream)


def _named(inputs: object) -> dict[str, Array]:
    given = {} if inputs is None else inputs
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise UsageError("inputs are given by their names", 'write {"x": x}')
    return {name: np.asarray(value) for name, value in given.items()}


def _check_numbers(arguments: Arguments) -> None:
    """Refuse what would make a verdict of nothing: a tolerance below zero, or nan, lets no layer pass."""
    for name, value in (
        ("rtol", arguments.get("rtol")),
        ("atol", arguments.get("atol")),
        ("eps", arguments.get("eps")),
    ):
        if value is not None and not (0 <= value < float("inf") and (value or name != "eps")):
            allowed = "above 0" if name == "eps" else "from 0 on"
            raise UsageError(f"{name} is {value!r}", f"give a finite number {allowed}")
    seed: object = arguments.get("seed", 0)
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise UsageError(f"seed is {seed!r}", "give a whole number from 0 on")


def _upstream(
    upstream: Upstream, layer: Layer, inputs: dict[str, Array], options: dict[str, Plain], seed: int
) -> tuple[Array, ...] | None:
    if upstream is None:
        return None
    if isinstance(upstream, str):
        rng = np.random.default_rng([seed, 1])
        return tuple(draw(InputSpec(upstream, part.shape), rng) for part in Caller(layer, options).forward(inputs))
    if isinstance(upstream, tuple):
        return tuple(np.asarray(part) for part in upstream)
    return (np.asarray(upstream),)
