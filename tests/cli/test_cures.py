"""What an audit says in words, done to the case: the changed case says so, and sees the bug."""

from __future__ import annotations

import re

import pytest

from gradcheck.casefile.parse import load_text
from gradcheck.casefile.show import dump
from gradcheck.cli.cures import _CURES, apply_cure
from gradcheck.model import BlindSpot, Case, InputSpec, LayerSpec, Settings
from gradcheck.trial.case import audit_case


def case(**changes: object) -> Case:
    made = Case(
        "folder/mine[axis=1]",
        LayerSpec(forward="m.py:f", backward="m.py:df"),
        {
            "x": InputSpec(shape=(1, 5), parameters={"scale": 9.0}, pin=[((0, 0), 2.0)]),
            "w": InputSpec("values", parameters={"values": [0.5, 1.5]}),
            "y": InputSpec("integers", shape=(1,), parameters={"high": 5}),
        },
        {"axis": 1, "eps": 1e-5},
        Settings(axis=1, upstream="ones"),
        about="old",
        variant={"axis": 1},
    )
    for key, value in changes.items():
        setattr(made, key, value)
    return made


def cured(cure: str, original: Case | None = None) -> Case | None:
    return apply_cure(original or case(), BlindSpot("some-rule", "because", cure))


def test_the_name_says_what_it_is_for() -> None:
    changed = cured("set eps to 0.1")

    assert changed is not None
    assert (changed.name, changed.about, changed.variant) == ("mine-sees-some-rule", "", {})
    assert changed.options == {"axis": 1, "eps": 0.1}
    assert case().options["eps"] == 1e-5


@pytest.mark.parametrize(
    ("cure", "name", "spec"),
    [
        ("make axis 0 of x longer: 3", "x", InputSpec("normal", (3, 5), None, {"scale": 9.0}, [((0, 0), 2.0)])),
        ("make axis 0 of x, axis 0 of y longer: 3", "y", InputSpec("integers", (3,), None, {"high": 5})),
        ("make the last axis of w longer by 1", "w", InputSpec("positive", (3,))),
        (
            "set an entry of x to 0",
            "x",
            InputSpec("normal", (1, 5), None, {"scale": 9.0}, [((0, 0), 2.0), ((0, 2), 0.0)]),
        ),
        ("set one of y to -100", "y", InputSpec("integers", (1,), None, {"high": 5}, [((0,), -100.0)])),
        ("draw x with ties", "x", InputSpec("ties", (1, 5), None, {}, [((0, 0), 2.0)])),
        ("draw x with near ties", "x", InputSpec("distinct", (1, 5), None, {"gap": 0.003}, [((0, 0), 2.0)])),
        ("draw w with both signs", "w", InputSpec("normal", (2,))),
        ("draw y with negative numbers", "y", InputSpec("integers", (1,), None, {"low": -5, "high": 5})),
        ("draw w around 1000", "w", InputSpec("normal", (2,), None, {"loc": 1000.0})),
        ("draw w with a scale of 0.01", "w", InputSpec("normal", (2,), None, {"scale": 0.01})),
        ("draw w from a wider range (scale 4)", "w", InputSpec("normal", (2,), None, {"scale": 4.0})),
        ("try w with whole numbers", "w", InputSpec("integers", (2,), "int64", {"low": -6, "high": 7})),
        ("draw the inputs at random and of order 1", "x", InputSpec("normal", (1, 5))),
        ("draw the inputs at random and of order 1", "w", InputSpec("positive", (2,))),
        ("draw the inputs at random and of order 1", "y", InputSpec("integers", (1,), None, {"high": 5})),
        ("repeat a number in w", "w", InputSpec("values", parameters={"values": [0.5, 0.5]})),
        ("repeat a number in y", "y", InputSpec("integers", (1,), None, {"low": 0, "high": 5})),
    ],
)
def test_inputs(cure: str, name: str, spec: InputSpec) -> None:
    changed = cured(cure)

    assert changed is not None
    assert changed.inputs[name] == spec


def test_the_upstream() -> None:
    changed = cured("use a signed Gaussian upstream, the default")

    assert changed is not None
    assert changed.settings.upstream is None
    assert cured("use a signed Gaussian upstream, the default", changed) is None


def test_the_axis_is_changed_everywhere() -> None:
    changed = cured("set axis to 0")

    assert changed is not None
    assert (changed.options["axis"], changed.settings.axis) == (0, 0)


@pytest.mark.parametrize("cure", ["think again", "set axis to <object>", "make axis 7 of x longer: 3"])
def test_what_takes_a_person(cure: str) -> None:
    assert cured(cure) is None


@pytest.mark.parametrize(("name", "shape", "upstream"), [("softmax", (4, 5), "ones"), ("softmax", (1, 5), None)])
def test_a_changed_case_sees_what_the_case_did_not(name: str, shape: tuple[int, ...], upstream: str | None) -> None:
    from gradcheck.reference.catalogue import CASES

    known = CASES[name]
    original = Case(name, known.layer, {"x": InputSpec(shape=shape)}, known.options, Settings(upstream=upstream))
    spots = audit_case(original).blind
    assert spots
    better: list[bool] = []
    for spot in spots:
        # every cure that the rules know is one that is understood here
        assert any(re.fullmatch(pattern, spot.cure) for pattern in _CURES), spot.cure
        changed = apply_cure(original, spot)
        if changed is not None:
            (again,) = load_text(dump(changed))
            assert again.inputs == changed.inputs
            better.append(spot.rule in audit_case(again).seen)

    # a bug that takes two changes is still not seen after one of them
    assert sum(better) >= len(better) / 2 > 0
