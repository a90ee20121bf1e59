"""Case files: read, checked as a whole, and turned into cases. All complaints of a file come at once."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from gradcheck.casefile import convert
from gradcheck.casefile.checks import check_code, check_data, check_input, check_inputs, check_layer
from gradcheck.casefile.composer import MAX_COMPLAINTS, compose
from gradcheck.casefile.inputs import AnyInput
from gradcheck.casefile.matrix import MAX_VARIANTS, expand, pinpoint
from gradcheck.casefile.messages import explain
from gradcheck.casefile.positions import ListNode, MapNode, Node, Problem, Source, child, locate, plain, sort, weigh
from gradcheck.casefile.project import case_prefix, shown
from gradcheck.casefile.schema import AnyLayer, CaseModel, Defaults, Header
from gradcheck.casefile.text import read
from gradcheck.casefile.words import kind
from gradcheck.errors import CaseFileError, Complaint
from gradcheck.model import Case

MAX_WORK = 2_000_000

Model = TypeVar("Model", bound=Defaults)
_LAYER: TypeAdapter[Any] = TypeAdapter(AnyLayer)
_INPUT: TypeAdapter[Any] = TypeAdapter(AnyInput)
_JOINED = ("inputs", "options", "matrix")


def load(path: str | os.PathLike[str]) -> list[Case]:
    """Return the cases of a file, variants of a matrix one by one, in the order of the file.

    Parameters
    ----------
    path
        A YAML file of at most 1 MiB. References in it start from its folder.

    Raises
    ------
    CaseFileError
        If the file cannot be read or does not say something sensible; it holds all complaints, by place.
    """
    path = Path(path)
    base = os.path.abspath(path.parent)
    return load_text(read(path), shown(path), base=base, prefix=case_prefix(path))


def load_text(text: str, file: str = "<text>", *, base: str = "", prefix: str = "") -> list[Case]:
    """Return the cases of a text.

    Parameters
    ----------
    text
        What stands in a case file.
    file
        What the text is called in complaints.
    base
        The folder from which relative references start; the current one by default.
    prefix
        Stands before the names of the cases, divided by ``/``.

    Raises
    ------
    CaseFileError
        With all complaints, by place.
    """
    source = Source(file, text)
    root, complaints = compose(source)
    reader = _Reader(source, base, prefix)
    reader.complaints += complaints
    cases = reader.read(root)
    if reader.complaints:
        raise CaseFileError(_cut(sort(reader.complaints)))
    return cases


def _cut(complaints: list[Complaint]) -> list[Complaint]:
    left = len(complaints) - MAX_COMPLAINTS
    if left <= 0:
        return complaints
    return [*complaints[:MAX_COMPLAINTS], Complaint(complaints[0].file, 0, 0, f"and {left} more")]


class _Reader:
    """Reads one file; collects what it complains of."""

    def __init__(self, source: Source, base: str, prefix: str) -> None:
        self.source = source
        self.base = base
        self.prefix = prefix
        self.complaints: list[Complaint] = []

    def read(self, root: Node) -> list[Case]:
        if not isinstance(root, MapNode):
            help_ = "begin it with 'version: 1', then 'cases:'"
            self.complaints.append(
                self.source.complain_of(root, f"a case file is a mapping, not {kind(plain(root))}", help_)
            )
            return []
        try:
            Header.model_validate({name: plain(value) for name, (_, value) in root.entries.items()})
        except ValidationError as error:
            self.note(root, explain(error.errors(), file=True))
        defaults = child(root, "defaults") or MapNode(0, 0)
        if isinstance(defaults, MapNode):
            self.validate(Defaults, defaults)
        else:
            self.note(root, [Problem(("defaults",), f"'defaults' takes a mapping, not {kind(plain(defaults))}")])
            defaults = MapNode(0, 0)
        cases = child(root, "cases")
        result: list[Case] = []
        work, shared = 0, weigh(defaults)
        for name, (key, node) in cases.entries.items() if isinstance(cases, MapNode) else ():
            merged = merge(defaults, node) if isinstance(node, MapNode) else MapNode(0, 0)
            work += (shared + weigh(node)) * combinations(merged)
            if work > MAX_WORK:
                message = f"from here on the file holds more than {MAX_WORK:,} values"
                help_ = "every case counts with its defaults, once for each combination of its matrix"
                self.complaints.append(self.source.complain_of(key, message, help_))
                break
            # what is missing in a case is shown at its name
            merged.start, merged.end = key.start, key.end
            result += self.read_case(name, key, node, merged)
        return result

    def read_case(self, name: str, key: Node, node: Node, merged: MapNode) -> list[Case]:
        if not isinstance(node, MapNode):
            message = f"a case is a mapping, not {kind(plain(node))}"
            self.complaints.append(self.source.complain_of(key, message, "give it a layer and inputs"))
            return []
        model = self.validate(CaseModel, merged)
        if model is None:
            self.note(merged, self.check_parts(merged))
            return []
        place = self.source.place(key.start)
        full_name = f"{self.prefix}/{name}" if self.prefix else name
        case = convert.case(full_name, model, self.base, place)
        problems = list(check_layer(case))
        variants = [case]
        if model.matrix:
            inputs = child(merged, "inputs")
            variants, wrong = expand(case, model.matrix, model.exclude, _mapping(inputs))
            problems += wrong
        elif model.exclude:
            problems.append(Problem(("exclude",), "there is no matrix to exclude anything from", key=True))
        for variant in variants:
            problems += [pinpoint(problem, variant, model.matrix) for problem in check_inputs(variant)]
            if len(problems) > MAX_COMPLAINTS:
                break
        self.note(merged, problems)
        return variants

    def check_parts(self, case: MapNode) -> Iterator[Problem]:
        """Yield what can be said of the sound parts of a case that has faults in others."""
        layer = child(case, "layer")
        if layer is not None and (code := _sound(_LAYER, layer)) is not None:
            yield from check_code(convert.layer_spec(code, self.base), ("layer",))
        inputs = child(case, "inputs")
        for name, (_, node) in inputs.entries.items() if isinstance(inputs, MapNode) else ():
            if (model := _sound(_INPUT, node)) is None:
                continue
            spec = convert.input_spec(model)
            yield from check_data(name, spec, self.base)
            if child(case, "matrix") is None:
                yield from check_input(name, spec)

    def validate(self, model: type[Model], node: MapNode) -> Model | None:
        try:
            return model.model_validate(plain(node))
        except ValidationError as error:
            self.note(node, explain(error.errors()))
            return None

    def note(self, root: Node, problems: Iterable[Problem]) -> None:
        for problem in problems:
            node = locate(root, problem.location, key=problem.key)
            self.complaints.append(self.source.complain_of(node, problem.message, problem.help))


def _sound(adapter: TypeAdapter[Any], node: Node) -> Any:
    try:
        return adapter.validate_python(plain(node))
    except ValidationError:
        return None


def _mapping(node: Node | None) -> dict[str, object]:
    return {name: plain(value) for name, (_, value) in node.entries.items()} if isinstance(node, MapNode) else {}


def combinations(case: MapNode) -> int:
    """Return how many variants the matrix of a case asks for; one too many is as good as any number."""
    matrix = child(case, "matrix")
    columns = matrix.entries.values() if isinstance(matrix, MapNode) else ()
    size = math.prod(len(node.items) or 1 for _, node in columns if isinstance(node, ListNode))
    return size if size <= MAX_VARIANTS else 1


def merge(defaults: MapNode, case: MapNode) -> MapNode:
    """Return a case with what the defaults of its file add.

    ``inputs``, ``options`` and ``matrix`` are joined name by name, ``tags`` are added up, and everything else
    of the case replaces what the defaults say.
    """
    entries = dict(defaults.entries)
    for name, (key, value) in case.entries.items():
        other = child(defaults, name)
        if name in _JOINED and isinstance(other, MapNode) and isinstance(value, MapNode):
            value = MapNode(value.start, value.end, {**other.entries, **value.entries})
        elif name == "tags" and isinstance(other, ListNode) and isinstance(value, ListNode):
            value = ListNode(value.start, value.end, [*other.items, *value.items])
        entries[name] = (key, value)
    return MapNode(case.start, case.end, entries)
