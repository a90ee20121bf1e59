"""The JSON Schema of a report, made from the dataclasses of the model, so that it cannot fall behind them."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from gradcheck.model import Report, Verdict
from gradcheck.report.json import FORMAT, VERSION
from gradcheck.report.record import SPECIAL, hints

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = {str: "string", int: "integer", bool: "boolean"}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what ``--format json`` writes.

    Objects may hold more than it names: a later version of gradcheck may add fields.
    """
    definitions: dict[str, Any] = {
        "number": {
            "description": "A number, or a text for what JSON has no number for.",
            "anyOf": [{"type": "number"}, {"enum": list(SPECIAL)}],
        }
    }
    report = _refer(Report, definitions)
    counts = {"type": "integer", "minimum": 0}
    summary = dict.fromkeys(("cases", "expected", *(verdict.value for verdict in Verdict)), counts)
    return {
        "$schema": DIALECT,
        "title": "gradcheck report",
        "description": "The reports of one run, in its order.",
        "type": "object",
        "required": ["format", "version", "gradcheck", "summary", "reports"],
        "properties": {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "gradcheck": {"type": "string", "description": "The version of gradcheck that wrote it."},
            "summary": {"type": "object", "required": list(summary), "properties": summary},
            "reports": {"type": "array", "items": report},
        },
        "$defs": dict(sorted(definitions.items())),
    }


def _refer(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; those of dataclasses and enumerations go among the definitions."""
    if kind is Any:
        return {}
    if kind is float:
        return {"$ref": "#/$defs/number"}
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return {"anyOf": [*(_refer(each, definitions) for each in inner if each is not NoneType), {"type": "null"}]}
    if origin in (list, tuple):
        return {"type": "array", "items": _refer(inner[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _refer(inner[1], definitions)}
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = _define(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _define(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    said = inspect.cleandoc(kind.__doc__ or "")
    summary = " ".join(said.partition("\n\n")[0].split())
    if issubclass(kind, Enum):
        return {"description": summary, "enum": [member.value for member in kind]}
    assert is_dataclass(kind)
    types, words = hints(kind), _attributes(said)
    properties: dict[str, Any] = {}
    for field in fields(kind):
        schema = _refer(types[field.name], definitions)
        properties[field.name] = {"description": words[field.name], **schema} if field.name in words else schema
    return {"description": summary, "type": "object", "required": list(properties), "properties": properties}


def _attributes(docstring: str) -> dict[str, str]:
    """Return what a NumPy-style docstring says of each attribute."""
    _, _, section = docstring.partition("Attributes\n----------\n")
    words: dict[str, str] = {}
    for names, text in re.findall(r"^(\w[\w, ]*)\n((?:    .*\n?|\n)+)", section, re.MULTILINE):
        words.update(dict.fromkeys(re.split(r",\s*", names), " ".join(text.split())))
    return words
