"""Named numbers of a case: sizes, counts, options; each can be evaluated again at other inputs and options."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.truth import Array
from gradcheck.rules.view import View


@dataclass(frozen=True)
class Situation:
    """Inputs and options of a case, or of a changed one."""

    inputs: Mapping[str, Array]
    options: Mapping[str, Plain]
    outputs: tuple[Array, ...]


Number = Callable[[Situation], float]


@dataclass(frozen=True)
class Quantity:
    """A number with a name.

    Attributes
    ----------
    label
        As it is printed: ``the length of axis 1 of x``.
    kind
        ``samples`` (a leading axis), ``size``, ``axis``, ``option``, ``count`` (of labels, of ones in a mask), ``sum``.
    at
        The number in a situation.
    """

    label: str
    kind: str
    at: Number


def here(view: View) -> Situation:
    """Return the situation of the case itself."""
    return Situation(view.truth.inputs, view.truth.options, view.truth.outputs)


def _guard(number: Callable[[Situation], object]) -> Number:
    """Wrap a number so that a situation in which it makes no sense gives nan."""

    def at(situation: Situation) -> float:
        try:
            value = float(np.asarray(number(situation)))
        except (TypeError, ValueError, IndexError, KeyError, ZeroDivisionError):
            return float("nan")
        return value

    return at


def _input(name: str, number: Callable[[Array], object]) -> Number:
    return _guard(lambda situation: number(np.asarray(situation.inputs[name])))


def _output(place: int, number: Callable[[Array], object]) -> Number:
    return _guard(lambda situation: number(np.asarray(situation.outputs[place])))


def _length(axis: int) -> Callable[[Array], object]:
    return lambda array: array.shape[axis]


def _other_than(name: str, option: str) -> Number:
    return _guard(lambda situation: np.sum(np.asarray(situation.inputs[name]) != situation.options[option]))


def _chosen(weights: str, labels: str) -> Number:
    return _guard(lambda s: np.sum(np.asarray(s.inputs[weights])[np.asarray(s.inputs[labels])]))


def _option(name: str, place: int | None = None) -> Number:
    def number(situation: Situation) -> object:
        value = situation.options[name]
        return value if place is None or not isinstance(value, (list, tuple)) else value[place]

    return _guard(number)


def sizes(view: View) -> Iterator[Quantity]:
    """Yield the lengths of the axes of all inputs and outputs, and their sizes."""
    for name, value in view.truth.inputs.items():
        for axis in range(np.ndim(value)):
            kind = "samples" if axis == 0 else "axis"
            yield Quantity(f"the length of axis {axis} of {name}", kind, _input(name, _length(axis)))
        if np.ndim(value) > 1:
            yield Quantity(f"the size of {name}", "size", _input(name, np.size))
        if np.ndim(value) > 2:
            one = _input(name, lambda array: array.size / array.shape[0])
            yield Quantity(f"the size of one sample of {name}", "axis", one)
            rows = _input(name, lambda array: array.size / array.shape[-1])
            yield Quantity(f"the size of {name} without its last axis", "axis", rows)
    for place, value in enumerate(view.truth.outputs):
        label = "the output" if len(view.truth.outputs) == 1 else f"output {place}"
        for axis in range(np.ndim(value)):
            kind = "samples" if axis == 0 else "axis"
            yield Quantity(f"the length of axis {axis} of {label}", kind, _output(place, _length(axis)))
        if np.ndim(value) > 1:
            yield Quantity(f"the size of {label}", "size", _output(place, np.size))


def counts(view: View) -> Iterator[Quantity]:
    """Yield counts of labels that are not ignored, ones in masks, lengths, and sums of weights."""
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name == view.name or array.size < 2:
            continue
        if array.dtype.kind in "iub":
            for option, ignored in _integers(view):
                if np.any(array == ignored):
                    yield Quantity(f"the number of {name} that are not {option}", "count", _other_than(name, option))
            yield Quantity(
                f"the number of different {name}", "count", _input(name, lambda labels: np.unique(labels).size)
            )
        if array.dtype.kind in "iuf" and np.any(array < 0) and np.all(array == np.round(array)):
            valid = _input(name, lambda labels: np.sum(labels >= 0))
            yield Quantity(f"the number of {name} that are not negative", "count", valid)
        if array.dtype.kind in "iufb":
            yield Quantity(f"the sum of {name}", "sum", _input(name, np.sum))
            if np.any(array == 0) and not np.all(array == 0):
                label = f"the number of entries of {name} that are not 0"
                yield Quantity(label, "count", _input(name, np.count_nonzero))
    uses = np.count_nonzero(np.abs(view.J) > view.zero, axis=1)
    if view.M > 1 and 1 < uses.min() == uses.max() < view.N:
        size = float(uses[0])
        yield Quantity("the number of inputs of each output", "count", lambda _: size)
        share = view.N / view.M
        yield Quantity("the size of the input over that of the output", "count", lambda _: share)
    for weights, labels in picked(view):
        yield Quantity(f"the sum of {weights}[{labels}]", "sum", _chosen(weights, labels))


def _integers(view: View) -> Iterator[tuple[str, int]]:
    for option, value in view.truth.options.items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield option, value


def picked(view: View) -> Iterator[tuple[str, str]]:
    """Pairs of a vector of weights and integer labels that can index it."""
    for weights, values in view.truth.inputs.items():
        array = np.asarray(values)
        if weights == view.name or array.ndim != 1 or array.dtype.kind != "f":
            continue
        for labels, indices in view.truth.inputs.items():
            index = np.asarray(indices)
            if index.dtype.kind in "iu" and index.size and -len(array) <= index.min() and index.max() < len(array):
                yield weights, labels


def options(view: View) -> Iterator[Quantity]:
    """Yield the numeric options; numbers in a list one by one."""
    for name, value in view.truth.options.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield Quantity(name, "option", _option(name))
        elif isinstance(value, (list, tuple)):
            for place, part in enumerate(value):
                if isinstance(part, (int, float)) and not isinstance(part, bool):
                    yield Quantity(f"{name}[{place}]", "option", _option(name, place))
