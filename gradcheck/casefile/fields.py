"""Types of single values in a case file, shared by the models of the schema."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from gradcheck.casefile.draws import MAX_DIMENSIONS, size_complaint
from gradcheck.casefile.words import quote

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_INPUT = re.compile(r"\w+(\.\w+)*")
_RULE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RESERVED = "/\\:[]*?,"


class Strict(BaseModel):
    """A mapping of a case file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, protected_namespaces=())


def complain(message: str, help: str = "", at: tuple[str | int, ...] = ()) -> PydanticCustomError:  # noqa: A002
    """Return an error whose message is shown as it is; ``at`` leads from the value to the part that is wrong."""
    return PydanticCustomError("complaint", "{text}", {"text": message, "help": help, "at": at})


def case_name(name: str) -> str:
    """Refuse names of cases that a command line could take for something else."""
    if not name or name != name.strip():
        raise complain(f"{quote(name)}: the name of a case is empty, or begins or ends with a space")
    wrong = next((char for char in name if char in _RESERVED or unicodedata.category(char)[0] == "C"), None)
    if wrong is not None:
        shown = f"'{wrong}'" if wrong in _RESERVED else f"the character U+{ord(wrong):04X}"
        raise complain(
            f"{quote(name)}: the name of a case may not hold {shown}", "use letters, digits, '-', '_' and '.'"
        )
    if name.startswith("-"):
        raise complain(
            f"{quote(name)}: the name of a case may not begin with '-'", "a command line would take it for an option"
        )
    if len(name) > 100:
        raise complain(f"{quote(name)}: the name of a case has more than 100 characters")
    return name


def _name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > 100:
        raise complain(
            f"{quote(name)} is not the name of an argument",
            "a name is letters, digits and '_', and does not begin with a digit",
        )
    return name


def _input_name(name: str) -> str:
    """Refuse what can be no name of an input; parameters of modules have names such as ``0.weight``."""
    if not _INPUT.fullmatch(name) or len(name) > 100:
        raise complain(
            f"{quote(name)} is not the name of an input",
            "a name is letters, digits and '_'; a parameter's may have dots",
        )
    return name


def _rule(rule: str) -> str:
    if not _RULE.fullmatch(rule) or len(rule) > 100:
        raise complain(
            f"{quote(rule)} is not the id of a rule", "an id is small letters, digits and '-'; see `gradcheck explain`"
        )
    return rule


def _shape(shape: list[int]) -> list[int]:
    if problem := size_complaint(shape):
        raise complain(problem)
    return shape


CaseName = Annotated[str, AfterValidator(case_name)]
Name = Annotated[str, AfterValidator(_name)]
InputName = Annotated[str, AfterValidator(_input_name)]
Rule = Annotated[str, AfterValidator(_rule)]
Text = Annotated[str, Field(min_length=1, max_length=4096)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Axis = Annotated[int, Field(ge=-MAX_DIMENSIONS, lt=MAX_DIMENSIONS)]
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Seed = Annotated[int, Field(ge=0, lt=2**64)]
Shape = Annotated[list[Annotated[int, Field(ge=0)]], AfterValidator(_shape)]


def one_or_several(value: Any) -> str:
    """Return the tag of a value that may be given alone or as a list."""
    return "<several>" if isinstance(value, list) else "<one>"


Names = Annotated[
    Annotated[InputName, Tag("<one>")] | Annotated[list[InputName], Field(min_length=1), Tag("<several>")],
    Discriminator(one_or_several),
]
"""One name of an input, or a list of them."""
