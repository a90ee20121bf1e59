"""The schema of inputs: one model per draw, so that a number given to the wrong draw is an unknown key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from gradcheck.casefile.draws import DRAWS, Dtype, shape_of, size_complaint
from gradcheck.casefile.fields import (
    Axis,
    Finite,
    Integer,
    NotNegative,
    Positive,
    Shape,
    Strict,
    Text,
    complain,
    one_or_several,
)
from gradcheck.casefile.words import quote_path

Indices = Annotated[
    Annotated[Integer, Tag("<one>")] | Annotated[list[Integer], Tag("<several>")], Discriminator(one_or_several)
]


class Pin(Strict):
    """One entry (or, with fewer indices, one row) that is set after the draw."""

    at: Indices
    value: float


class Input(Strict):
    """What every input may say."""

    shape: Shape | None = None
    dtype: Dtype | None = None
    pin: list[Pin] = Field(default_factory=list)


class Normal(Input):
    """Normally distributed numbers."""

    draw: Literal["normal"] = "normal"
    loc: Finite | None = None
    scale: Finite | None = None


class Uniform(Input):
    """Uniformly distributed numbers."""

    draw: Literal["uniform"]
    low: Finite | None = None
    high: Finite | None = None

    @model_validator(mode="after")
    def _check(self) -> Uniform:
        low, high = self.low or 0.0, 1.0 if self.high is None else self.high
        if not low < high:
            raise complain(
                f"low ({low:g}) is not below high ({high:g})", at=("high" if self.high is not None else "low",)
            )
        return self


class PositiveNumbers(Input):
    """Numbers above a lower limit."""

    draw: Literal["positive"]
    low: NotNegative | None = None
    scale: Positive | None = None


class Integers(Input):
    """Whole numbers."""

    draw: Literal["integers"]
    low: Integer | None = None
    high: Integer

    @model_validator(mode="after")
    def _check(self) -> Integers:
        if not (self.low or 0) < self.high:
            raise complain(
                f"low ({self.low or 0}) is not below high ({self.high})", "high itself is not drawn", ("high",)
            )
        return self


class Permutation(Input):
    """Whole numbers without repetition."""

    draw: Literal["permutation"]
    low: Integer | None = None
    high: Integer | None = None


class OneHot(Input):
    """One-hot rows."""

    draw: Literal["one-hot"]
    axis: Axis | None = None


class Simplex(Input):
    """Rows of probabilities."""

    draw: Literal["simplex"]
    axis: Axis | None = None
    scale: Positive | None = None


class Bernoulli(Input):
    """Zeros and ones."""

    draw: Literal["bernoulli"]
    p: Annotated[float, Field(ge=0, le=1)] | None = None


class Distinct(Input):
    """Numbers of which no two are alike."""

    draw: Literal["distinct"]
    gap: Positive | None = None
    loc: Finite | None = None


class AwayFrom(Input):
    """Numbers that keep away from one."""

    draw: Literal["away-from"]
    from_: Finite | None = Field(default=None, alias="from")
    gap: Positive | None = None
    scale: Positive | None = None


class Ties(Input):
    """Numbers with a tie for the maximum."""

    draw: Literal["ties"]
    axis: Axis | None = None
    gap: Positive | None = None


class Ones(Input):
    """All ones."""

    draw: Literal["ones"]


class Constant(Input):
    """One value everywhere."""

    draw: Literal["constant"] = "constant"
    value: float


def _values(values: Any) -> Any:
    try:
        shape = shape_of(values)
    except ValueError as error:
        raise complain(str(error)) from None
    if problem := size_complaint(shape):
        raise complain(problem)
    return values


class Values(Input):
    """The numbers given, as nested lists."""

    draw: Literal["values"] = "values"
    values: Annotated[Any, AfterValidator(_values)]

    @model_validator(mode="after")
    def _check(self) -> Values:
        shape = shape_of(self.values)
        if self.shape is not None and tuple(self.shape) != shape:
            raise complain(f"the values have shape {list(shape)}, not {self.shape}", "leave the shape out", ("shape",))
        return self


class File(Input):
    """An array in a file, looked for beside the case file."""

    draw: Literal["file"] = "file"
    file: Text
    key: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> File:
        if not self.file.endswith((".npy", ".npz", ".csv")):
            raise complain(
                f"cannot tell what kind of file {quote_path(self.file)} is", "use .npy, .npz or .csv", ("file",)
            )
        if self.key is not None and not self.file.endswith(".npz"):
            raise complain("only a .npz file holds arrays by key", at=("key",))
        return self


MODELS: dict[str, type[Input]] = {
    "normal": Normal,
    "uniform": Uniform,
    "positive": PositiveNumbers,
    "integers": Integers,
    "permutation": Permutation,
    "one-hot": OneHot,
    "simplex": Simplex,
    "bernoulli": Bernoulli,
    "distinct": Distinct,
    "away-from": AwayFrom,
    "ties": Ties,
    "ones": Ones,
    "constant": Constant,
    "values": Values,
    "file": File,
}


def draw_of(value: Any) -> str | None:
    """Return the tag of the draw that an input asks for: by name, or by the one key that only it has."""
    if isinstance(value, Input):
        return f"<{value.draw}>"  # type: ignore[attr-defined]
    if not isinstance(value, dict):
        return None
    if "draw" in value:
        draw = value["draw"]
        return f"<{draw}>" if isinstance(draw, str) and draw in DRAWS else "<unknown draw>"
    implied = next((name for key, name in IMPLIED.items() if key in value), "normal")
    return f"<{implied}>"


IMPLIED = {"values": "values", "file": "file", "value": "constant"}
"""Keys that say which draw is meant without its name."""

AnyInput = Annotated[
    Annotated[Normal, Tag("<normal>")]
    | Annotated[Uniform, Tag("<uniform>")]
    | Annotated[PositiveNumbers, Tag("<positive>")]
    | Annotated[Integers, Tag("<integers>")]
    | Annotated[Permutation, Tag("<permutation>")]
    | Annotated[OneHot, Tag("<one-hot>")]
    | Annotated[Simplex, Tag("<simplex>")]
    | Annotated[Bernoulli, Tag("<bernoulli>")]
    | Annotated[Distinct, Tag("<distinct>")]
    | Annotated[AwayFrom, Tag("<away-from>")]
    | Annotated[Ties, Tag("<ties>")]
    | Annotated[Ones, Tag("<ones>")]
    | Annotated[Constant, Tag("<constant>")]
    | Annotated[Values, Tag("<values>")]
    | Annotated[File, Tag("<file>")],
    Discriminator(draw_of),
]
