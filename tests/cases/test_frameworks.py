"""The cases of the frameworks and of code from other packages: what they must have, and what comes of them."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from gradcheck.casefile.discovery import find
from gradcheck.layers.adapters import ADAPTERS, registered
from gradcheck.model import Case, Verdict
from gradcheck.trial.case import try_case

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("torch", "jax", "autograd")
PACKAGES = ("torch", "jax", "autograd", "sklearn", "scipy")


def _load(folder: str) -> list[Case]:
    return find([str(ROOT / "cases" / folder)], root=ROOT)


def _needed(case: Case) -> str:
    return next(package for package in PACKAGES if package in case.tags)


def _parameters() -> list[object]:
    """Return every case, marked with what it needs, and skipped where that is not installed but asked for."""
    cases = [*_load("frameworks"), *_load("thirdparty")]
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[
                getattr(pytest.mark, _needed(case)),
                pytest.mark.skipif(find_spec(_needed(case)) is None, reason=f"needs {_needed(case)}"),
            ],
        )
        for case in cases
    ]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_framework_has_ten_right_and_ten_wrong_implementations(framework: str) -> None:
    cases = _load(f"frameworks/{framework}")
    bare = {case.name.partition("[")[0]: case for case in cases}
    count = Counter(case.expect.verdict for case in bare.values())
    named = {case.expect.finding for case in bare.values() if case.expect.finding}

    assert count[Verdict.PASS] >= 10
    assert count[Verdict.FAIL] >= 10
    assert len(named) >= 10
    assert {case.tags for case in cases} == {(framework,)}


def test_code_of_other_packages_is_there() -> None:
    cases = _load("thirdparty")
    tags = Counter(_needed(case) for case in cases)

    assert all("thirdparty" in case.tags for case in cases)
    assert all(tags[package] >= 10 for package in ("torch", "autograd", "sklearn", "scipy"))
    assert {"thirdparty/scipy-rosen", "thirdparty/scipy-rosen-hess-prod"} <= {case.name for case in cases}


def test_what_is_found_in_it_is_explained() -> None:
    cases = [case for case in _load("thirdparty") if case.expect.verdict is not Verdict.PASS]

    assert [case.name for case in cases if len(case.about) < 40] == []


def test_the_adapters_are_registered() -> None:
    assert {point.name: point.value for point in registered(ADAPTERS)}.items() >= {
        (name, f"gradcheck.layers.{name}:adapt") for name in FRAMEWORKS
    }


@pytest.mark.parametrize("case", _parameters())
def test_every_case_says_what_it_is_expected_to_say(case: Case) -> None:
    report = try_case(case)

    assert report.expected, f"{report.surprise}\n{report}"
