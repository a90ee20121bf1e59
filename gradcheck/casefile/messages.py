"""What pydantic found, said in the words of a case file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.casefile.draws import DRAWS
from gradcheck.casefile.positions import Location, Problem
from gradcheck.casefile.scalars import resolve
from gradcheck.casefile.schema import CASE_KEYS, CHOICES, FILE_KEYS, KEYS
from gradcheck.casefile.words import kind, printable, quote
from gradcheck.errors import nearest, suggest

LAYER_HELP = "name one (`layer: softmax`), or give `{forward: file.py:softmax, backward: file.py:softmax_backward}`"
MANY = 500
"""Errors of one case beyond which nobody reads them: they are only counted, since did-you-mean costs time."""
_EXPECTED = {
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
}
_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_NOUNS = {"expect": "verdict", "upstream": "draw", "returns": "kind of return"}
_EXAMPLES = {
    "cases": "each case stands under its name",
    "inputs": "write for example {x: {shape: [4, 5]}}",
    "options": "write for example {axis: 1}",
    "matrix": "write for example {axis: [0, 1]}",
    "exclude": "write for example [{axis: 0}]",
    "pin": "write for example [{at: [0, 1], value: 5}]",
}


def explain(errors: Sequence[Any], prefix: Location = (), *, file: bool = False) -> list[Problem]:
    """Return the problems behind the error details of pydantic; ``prefix`` leads to what was validated."""
    problems: list[Problem] = []
    meant: set[tuple[tuple[str | int, ...], str]] = set()
    missing: dict[tuple[str | int, ...], list[str]] = {}
    for number, error in enumerate(errors):
        location = (*prefix, *error["loc"])
        if number >= MANY:
            problems.append(Problem(location, error["msg"], key=True))
        elif error["type"] == "missing":
            missing.setdefault(location[:-1], []).append(str(location[-1]))
        elif error["type"] == "extra_forbidden":
            problem, near = _unknown(location, FILE_KEYS if file else CASE_KEYS)
            problems.append(problem)
            meant.add((location[:-1], near))
        else:
            problems.append(_say(error, location))
    for location, keys in missing.items():
        # a mistyped key is one mistake, not two
        left = [key for key in keys if (location, key) not in meant]
        if left:
            problems.append(_absent(location, left))
    return problems


def _tag(location: Location) -> str:
    """Return the tag of the union or the key that says what may stand in the mapping at a location."""
    for step in reversed(location):
        if isinstance(step, str):
            return step
    return ""


def _last(location: Location) -> str:
    return next((step for step in reversed(location) if isinstance(step, str) and step[:1] not in "<["), "")


def _unknown(location: tuple[str | int, ...], top: tuple[str, ...]) -> tuple[Problem, str]:
    key = str(location[-1])
    tag = _tag(location[:-1])
    known = KEYS.get(tag, top)
    draw = tag.strip("<>")
    if draw in DRAWS and any(key in KEYS[f"<{each}>"] for each in DRAWS):
        takes = ", ".join(DRAWS[draw].parameters)
        help_ = f"it takes {takes}" if takes else "it takes no numbers"
        return Problem(location, f"the draw '{draw}' takes no '{key}'", help_, key=True), ""
    forms = ("<chain>", "<object>", "<node>", "<target>", "<functions>")
    if tag in forms and any(key in KEYS[form] for form in forms):
        allowed = "it takes " + ", ".join(known)
        said = "a layer of two functions" if tag == "<functions>" else f"a layer given by '{draw}'"
        return Problem(location, f"{said} takes no '{key}'", allowed, key=True), ""
    near = nearest(key, known)
    return Problem(location, f"unknown key {quote(key)}", suggest(key, known), key=True), near[0] if near else ""


def _absent(location: tuple[str | int, ...], keys: list[str]) -> Problem:
    tag = _tag(location)
    if tag == "<functions>" and len(keys) == 2:
        return Problem(
            location, "a layer needs 'forward' and 'backward', or one of target, object, node, chain", LAYER_HELP, True
        )
    help_ = ""
    if keys == ["layer"]:
        help_ = LAYER_HELP
    elif keys == ["version"]:
        help_ = "begin the file with 'version: 1'"
    elif keys == ["fail"]:
        help_ = "write pass, fail, undecided, error, {fail: RULE} or {verdict: ..., finding: RULE}"
    shown = " and ".join(f"'{key}'" for key in keys)
    if tag.strip("<>") in DRAWS:
        return Problem(location, f"the draw '{tag.strip('<>')}' needs {shown}", key=True)
    return Problem(location, f"{shown} {'is' if len(keys) == 1 else 'are'} missing", help_, key=True)


def _say(error: Any, location: tuple[str | int, ...]) -> Problem:
    context: dict[str, Any] = error.get("ctx", {})
    value, code = error["input"], error["type"]
    name = _last(location)
    subject = f"an entry of {quote(name)}" if isinstance(location[-1], int) else quote(name)
    if code == "complaint":
        at = tuple(context["at"])
        key = location[-1:] == ("[key]",)
        return Problem((*location, *at), context["text"], context["help"], key=key)
    if location[-1:] == ("[key]",):
        limits = "a name is empty or too long" if code.startswith("string_too") else "not a name"
        return Problem(location, f"{quote(location[-2])}: {limits}", key=True)
    if code == "union_tag_invalid":
        draw = value["draw"]
        return Problem((*location, "draw"), f"unknown draw {quote(draw)}", suggest(draw, DRAWS))
    if code == "union_tag_not_found":
        return Problem(location, *_no_form(name, value))
    if code == "literal_error":
        return Problem(location, *_no_choice(name, value, context))
    if code in _EXPECTED:
        expected = "a name or a list of names" if name == "wrt" and location[-1] == "<one>" else _EXPECTED[code]
        return Problem(location, f"{subject} takes {expected}, not {kind(value)}", _type_help(code, name, value))
    if code in _LIMITS:
        words, limit = _LIMITS[code]
        return Problem(location, f"{subject} must be {words} {context[limit]:g}, not {quote(value)}")
    return Problem(location, f"{subject} {_OTHER.get(code, _fallback)(error)}")


def _no_form(name: str, value: object) -> tuple[str, str]:
    if name in ("layer", "chain", "reference"):
        return f"a layer is a name or a mapping, not {kind(value)}", LAYER_HELP
    return f"an input is a mapping, not {kind(value)}", "write for example {shape: [4, 5]}"


def _no_choice(name: str, value: object, context: dict[str, Any]) -> tuple[str, str]:
    if name == "version":
        return f"version {quote(value)} is not known", "this gradcheck reads 'version: 1'"
    choices = CHOICES.get(name) or re.findall(r"'([^']*)'", context["expected"])
    noun = _NOUNS.get(name, name)
    if name == "upstream" and isinstance(value, str) and value in DRAWS:
        needed = ", ".join(f"{key}: …" for key in DRAWS[value].required)
        return f"the draw {quote(value)} needs more than its name", f"write {{draw: {value}, {needed}}}"
    if not isinstance(value, str):
        return f"{quote(name)} takes {_article(noun)} {noun}, not {kind(value)}", "one of " + ", ".join(choices)
    return f"unknown {noun} {quote(value)}", suggest(value, choices)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def _type_help(code: str, name: str, value: object) -> str:
    if name in _EXAMPLES and code not in ("int_type", "float_type", "string_type"):
        return _EXAMPLES[name]
    if name == "shape" and isinstance(value, str):
        sizes = re.findall(r"[0-9]+", value)
        return f"write [{', '.join(sizes)}]" if len(value) < 40 else ""
    if code == "list_type" and isinstance(value, (str, int, float)):
        return f"write [{printable(str(value))}]" if len(str(value)) < 40 else ""
    if not isinstance(value, str):
        return ""
    if code == "bool_type" and value.lower() in ("yes", "no", "on", "off", "true", "false"):
        return f"write {'true' if value.lower() in ('yes', 'on', 'true') else 'false'}"
    try:
        number = resolve(value.strip())
    except ValueError:
        return ""
    return "remove the quotes" if code in ("int_type", "float_type") and isinstance(number, (int, float)) else ""


def _fallback(error: Any) -> str:
    return f"is not right: {error['msg'][:1].lower()}{error['msg'][1:]}"


_OTHER: dict[str, Callable[[Any], str]] = {
    "finite_number": lambda error: "must be a finite number",
    "too_short": lambda error: "must not be empty",
    "too_long": lambda error: f"must not have more than {error['ctx']['max_length']} entries",
    "string_too_short": lambda error: "must not be empty",
    "string_too_long": lambda error: f"must not have more than {error['ctx']['max_length']} characters",
}
