"""The schema of case files, as pydantic models; ``gradcheck schema`` prints them as a JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, Tag, field_validator

from gradcheck.casefile.draws import DRAWS
from gradcheck.casefile.fields import (
    Axis,
    CaseName,
    InputName,
    Name,
    Names,
    NotNegative,
    Positive,
    Rule,
    Seed,
    Strict,
    Text,
    complain,
)
from gradcheck.casefile.inputs import MODELS, AnyInput, Pin
from gradcheck.casefile.words import quote
from gradcheck.model import Method, Mode

VerdictName = Literal["pass", "fail", "undecided", "error"]
VERDICTS: tuple[str, ...] = get_args(VerdictName)
Returns = Literal["vjp", "jacobian", "derivative", "gradient"]

# ---------------------------------------------------------------------------------------------------------------
# layers


class LayerForm(Strict):
    """What every form of a layer may say."""

    label: Text | None = None
    inputs: list[InputName] | None = None
    bind: dict[Name, Text] = Field(default_factory=dict)
    returns: Returns = "vjp"


class Target(LayerForm):
    """A layer by its name or reference."""

    target: Text
    init: dict[Name, Any] = Field(default_factory=dict)
    parameters: dict[InputName, Text] = Field(default_factory=dict)


class Functions(LayerForm):
    """Two functions."""

    forward: Text
    backward: Text


class ObjectForm(LayerForm):
    """A class or an instance."""

    object: Text
    forward: Text | None = None
    backward: Text | None = None
    init: dict[Name, Any] = Field(default_factory=dict)
    parameters: dict[InputName, Text] = Field(default_factory=dict)


class NodeForm(LayerForm):
    """A class of graph nodes."""

    node: Text
    forward: Text | None = None
    backward: Text | None = None
    init: dict[Name, Any] = Field(default_factory=dict)
    value: Text = "data"
    gradient: Text = "grad"


class ChainForm(Strict):
    """Layers one after the other."""

    chain: list[AnyLayer] = Field(min_length=1, max_length=100)
    label: Text | None = None
    inputs: list[InputName] | None = None


def form_of(value: Any) -> str | None:
    """Return the tag of the form in which a layer is given."""
    if isinstance(value, (str, Strict)):
        return "<name>" if isinstance(value, str) else FORM_TAGS[type(value)]
    if not isinstance(value, dict):
        return None
    return next((f"<{key}>" for key in ("chain", "object", "node", "target") if key in value), "<functions>")


AnyLayer = Annotated[
    Annotated[Text, Tag("<name>")]
    | Annotated[Target, Tag("<target>")]
    | Annotated[Functions, Tag("<functions>")]
    | Annotated[ObjectForm, Tag("<object>")]
    | Annotated[NodeForm, Tag("<node>")]
    | Annotated[ChainForm, Tag("<chain>")],
    Discriminator(form_of),
]
FORM_TAGS: dict[type[Strict], str] = {
    Target: "<target>",
    Functions: "<functions>",
    ObjectForm: "<object>",
    NodeForm: "<node>",
    ChainForm: "<chain>",
}

# ---------------------------------------------------------------------------------------------------------------
# expectations and upstreams


class FailsBy(Strict):
    """The case fails, and this rule names the bug."""

    fail: Rule


class LongExpectation(Strict):
    """A verdict with the first finding, of an input, in a link of a chain."""

    verdict: VerdictName
    finding: Rule | None = None
    wrt: InputName | None = None
    at: Text | None = None


def expectation_of(value: Any) -> str | None:
    """Return the tag of the form in which an expectation is given."""
    if isinstance(value, dict):
        return "<rule>" if "fail" in value or not value.keys() & LongExpectation.model_fields.keys() else "<long>"
    if isinstance(value, Strict):
        return "<rule>" if isinstance(value, FailsBy) else "<long>"
    return "<verdict>"


AnyExpectation = Annotated[
    Annotated[VerdictName, Tag("<verdict>")]
    | Annotated[FailsBy, Tag("<rule>")]
    | Annotated[LongExpectation, Tag("<long>")],
    Discriminator(expectation_of),
]

DrawName = Literal[
    "normal",
    "uniform",
    "positive",
    "permutation",
    "one-hot",
    "simplex",
    "bernoulli",
    "distinct",
    "away-from",
    "ties",
    "ones",
]


def upstream_of(value: Any) -> str:
    """Return the tag of the form in which an upstream is given."""
    return "<several>" if isinstance(value, list) else upstream_item_of(value)


def upstream_item_of(value: Any) -> str:
    """Return the tag of the form in which the upstream of one output is given."""
    return "<draw>" if not isinstance(value, (dict, Strict)) else "<spec>"


UpstreamItem = Annotated[
    Annotated[DrawName, Tag("<draw>")] | Annotated[AnyInput, Tag("<spec>")], Discriminator(upstream_item_of)
]
AnyUpstream = Annotated[
    Annotated[DrawName, Tag("<draw>")]
    | Annotated[AnyInput, Tag("<spec>")]
    | Annotated[list[UpstreamItem], Field(min_length=1), Tag("<several>")],
    Discriminator(upstream_of),
]

# ---------------------------------------------------------------------------------------------------------------
# cases and files


class Defaults(Strict):
    """What holds for every case of the file that does not say otherwise."""

    about: str = ""
    layer: AnyLayer | None = None
    inputs: dict[InputName, AnyInput] = Field(default_factory=dict)
    options: dict[Name, Any] = Field(default_factory=dict)
    axis: Axis | None = None
    wrt: Names | None = None
    upstream: AnyUpstream | None = None
    matrix: dict[Text, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    exclude: list[dict[Text, Any]] = Field(default_factory=list)
    expect: AnyExpectation = "pass"
    tags: list[Text] = Field(default_factory=list)
    seed: Seed = 0
    mode: Mode = "auto"
    method: Method = "central"
    reference: AnyLayer | None = None
    rtol: NotNegative | None = None
    atol: NotNegative | None = None
    eps: Positive | None = None
    budget: Annotated[int, Field(ge=1)] | None = None
    memory: Annotated[int, Field(ge=1)] | None = None
    timeout: Positive | None = None
    probes: bool = True


class CaseModel(Defaults):
    """One case."""

    layer: AnyLayer


class FileModel(Strict):
    """A case file."""

    version: Literal[1]
    defaults: Defaults = Field(default_factory=Defaults)
    cases: dict[CaseName, CaseModel] = Field(min_length=1)


class Header(Strict):
    """A case file whose cases are validated one by one."""

    version: Literal[1]
    defaults: Any = None
    cases: Annotated[dict[CaseName, Any], Field(min_length=1)]

    @field_validator("version", mode="before")
    @classmethod
    def _check(cls, value: Any) -> Any:
        if isinstance(value, (bool, float)):  # both may equal 1
            raise complain(f"version {quote(value)} is not known", "this gradcheck reads 'version: 1'")
        return value


KEYS: dict[str, tuple[str, ...]] = {
    **{
        f"<{name}>": tuple(field.alias or key for key, field in model.model_fields.items())
        for name, model in MODELS.items()
    },
    **{tag: tuple(model.model_fields) for model, tag in FORM_TAGS.items()},
    "<rule>": tuple(FailsBy.model_fields),
    "<long>": tuple(LongExpectation.model_fields),
    "pin": tuple(Pin.model_fields),
}
"""Which keys go where, by the tag of a union or the key that holds the mapping."""

CASE_KEYS = tuple(CaseModel.model_fields)
FILE_KEYS = tuple(FileModel.model_fields)
CHOICES: dict[str, tuple[str, ...]] = {"expect": VERDICTS, "draw": tuple(DRAWS)}
