"""A case written as YAML, and the JSON Schema of case files."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import yaml

from gradcheck.casefile import scalars
from gradcheck.model import Case, Expectation, InputSpec, LayerSpec, Settings, Verdict

FLOW_LENGTH = 80
SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"


class _Block(dict[str, Any]):
    """A mapping that is written one key a line, however short it is."""


class _Dumper(yaml.SafeDumper):
    """Writes as people do: what is short on one line, longer texts as blocks.

    Every text that YAML 1.1 or 1.2 would take for something else is quoted.
    """

    def ignore_aliases(self, data: Any) -> bool:
        """Write a value that occurs twice out, without an anchor."""
        return True


def _write_mapping(dumper: _Dumper, data: dict[str, Any]) -> yaml.Node:
    flow = not isinstance(data, _Block) and len(repr(data)) <= FLOW_LENGTH
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=flow)


def _write_list(dumper: _Dumper, data: list[Any]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=len(repr(data)) <= FLOW_LENGTH)


def _write_text(dumper: _Dumper, data: str) -> yaml.Node:
    style = "|" if "\n" in data else None
    if any(char in data for char in "\x85\u2028\u2029"):  # line breaks to YAML 1.1, which a block would lose
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(_Block, _write_mapping)
_Dumper.add_representer(dict, _write_mapping)
_Dumper.add_representer(list, _write_list)
_Dumper.add_representer(str, _write_text)

for _pattern in (scalars.INTEGER, scalars.OCTAL, scalars.HEXADECIMAL, scalars.FLOAT):
    _Dumper.add_implicit_resolver("number", re.compile(rf"(?:{_pattern.pattern})\Z"), list("-+.0123456789"))


def dump(case: Case) -> str:
    """Return a case as a case file that says the same, without what is so anyhow.

    The result names the case without folder and variant, so that its inputs are drawn as before; references to files
    stay relative to the folder of the case. A comment says which variant it was.
    """
    bare = case.name.rpartition("/")[2]
    name, bracket, variant = bare.partition("[")
    body = _Block(version=1, cases=_Block({_case_name(name): _Block(plain_case(case))}))
    text: str = yaml.dump(body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"# variant {variant.removesuffix(']')}\n{text}" if bracket else text


def _case_name(name: str) -> str:
    # the name of a case that was made of a reference is no name that a case file may have
    return re.sub(r"[/\\:\[\]*?,]+", "-", name).strip("- ") or "case"


def plain_case(case: Case) -> dict[str, Any]:
    """Return a case as it stands in a case file, in the order in which people read it."""
    body: dict[str, Any] = {"about": case.about} if case.about else {}
    body["layer"] = plain_layer(case.layer)
    if case.inputs:
        body["inputs"] = {name: plain_input(spec) for name, spec in case.inputs.items()}
    if case.options:
        body["options"] = dict(case.options)
    body.update(_plain_settings(case.settings))
    if case.timeout is not None:
        body["timeout"] = case.timeout
    expected = _plain_expectation(case.expect)
    if expected != "pass":
        body["expect"] = expected
    if case.tags:
        body["tags"] = list(case.tags)
    return body


def plain_input(spec: InputSpec) -> dict[str, Any]:
    """Return an input as it stands in a case file."""
    body: dict[str, Any] = {}
    if spec.draw not in ("normal", "values", "file"):
        body["draw"] = spec.draw
    body.update(spec.parameters)
    if spec.shape is not None:
        body["shape"] = list(spec.shape)
    if spec.dtype is not None:
        body["dtype"] = spec.dtype
    if spec.pin:
        body["pin"] = [{"at": list(at), "value": value} for at, value in spec.pin]
    return body


def plain_layer(layer: LayerSpec) -> Any:
    """Return a layer as it stands in a case file."""
    usual = LayerSpec()
    body: dict[str, Any] = {}
    for name in ("target", "object", "node", "forward", "backward"):
        if getattr(layer, name) is not None:
            body[name] = getattr(layer, name)
    if layer.chain is not None:
        body["chain"] = [plain_layer(link) for link in layer.chain]
    for name in ("bind", "returns", "init", "parameters", "value", "gradient", "label", "inputs"):
        value = getattr(layer, name)
        if value != getattr(usual, name):
            body[name] = list(value) if isinstance(value, (list, tuple)) else value
    return body["target"] if list(body) == ["target"] else body


def _plain_settings(settings: Settings) -> dict[str, Any]:
    usual = Settings()
    body: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value == getattr(usual, field.name) or field.name == "order":  # which stands among the options
            continue
        if field.name == "reference":
            value = plain_layer(value)
        elif field.name == "upstream" and isinstance(value, list):
            value = [plain_input(spec) for spec in value]
            value = value[0] if len(value) == 1 else value
        body[field.name] = list(value) if isinstance(value, tuple) else value
    return body


def _plain_expectation(expect: Expectation) -> Any:
    if expect.wrt is None and expect.at is None:
        if expect.finding is None:
            return str(expect.verdict)
        if expect.verdict is Verdict.FAIL:
            return {"fail": expect.finding}
    body = {"verdict": str(expect.verdict), "finding": expect.finding, "wrt": expect.wrt, "at": expect.at}
    return {key: value for key, value in body.items() if value is not None}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of case files, as editors read it."""
    from gradcheck.casefile.schema import FileModel

    return {"$schema": SCHEMA_ID, **FileModel.model_json_schema(by_alias=True), "title": "gradcheck case file"}
