"""The zoo: every layer has its case, every wrong one is wrong, and what hides a bug hides it."""

from __future__ import annotations

import json
import runpy
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from gradcheck.casefile.discovery import find
from gradcheck.casefile.draw import draw, draw_inputs
from gradcheck.casefile.parse import load_text
from gradcheck.layers.references import resolve
from gradcheck.model import Case, InputSpec, Verdict

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "cases" / "zoo"
KNOWLEDGE: dict[str, dict[str, Any]] = json.loads((ZOO / "knowledge.json").read_text(encoding="utf-8"))
WRONG, RIGHT, FAMILIES = KNOWLEDGE["wrong"], KNOWLEDGE["right"], KNOWLEDGE["families"]

UNSEEN_IN_ONE_CALL = {"relu-mutates-upstream", "accumulates-across-calls", "stale-forward-cache"}
"""Wrong layers whose first backward returns the right numbers, or that need more than a call of it to be seen."""

RECIPES = [(name, recipe) for name, known in WRONG.items() for recipe in known["hiding"]]


def bare(case: Case) -> str:
    return case.name.rpartition("/")[2]


@pytest.fixture(scope="module")
def wrong() -> dict[str, Case]:
    return {bare(case): case for case in find([str(ZOO / "wrong")], root=ROOT)}


@pytest.fixture(scope="module")
def right() -> dict[str, Case]:
    return {bare(case): case for case in find([str(ZOO / "right")], root=ROOT)}


def hidden(case: Case, recipe: Mapping[str, Any]) -> Case:
    """Return the case with the inputs, options and upstream under which its bug does not show."""
    changes = {key: recipe[key] for key in ("options", "upstream") if key in recipe}
    document = {"layer": "none", "inputs": recipe.get("inputs", {}), **changes}
    (parsed,) = load_text(json.dumps({"version": 1, "cases": {"hidden": document}}))
    parsed.inputs = {**case.inputs, **parsed.inputs}
    parsed.options = {**case.options, **parsed.options}
    parsed.settings.wrt, parsed.layer = case.settings.wrt, case.layer
    return parsed


def pull(case: Case, function: str, seed: int = 0) -> list[np.ndarray]:
    """Return the gradients of a file's backward, or of its correct one, on inputs drawn as the case says."""
    room = runpy.run_path(str(Path(case.layer.base) / (case.layer.forward or "").partition(":")[0]))
    inputs = draw_inputs(case.inputs, seed, case.name, "")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        outputs = room["forward"](*(value.copy() for value in inputs.values()), **case.options)
        rng = np.random.default_rng([seed, crc32(case.name.encode())])
        asked = case.settings.upstream or "normal"
        spec = InputSpec(asked) if isinstance(asked, str) else asked[0]
        spec = InputSpec(spec.draw, np.shape(outputs), spec.dtype, spec.parameters, spec.pin)
        returned = room[function](draw(spec, rng), *(value.copy() for value in inputs.values()), **case.options)
    return [np.asarray(gradient) for gradient in returned]


def distance(case: Case, seed: int = 0) -> float:
    """Return how far the wrong gradients are from the right ones, relative to them; infinite for shapes and nan."""
    worst = 0.0
    for one, other in zip(pull(case, "backward", seed), pull(case, "correct_backward", seed), strict=True):
        if one.shape != other.shape or not np.isfinite(one).all():
            return np.inf
        gap, size = np.linalg.norm(one - other), max(np.linalg.norm(one), np.linalg.norm(other))
        worst = max(worst, min(float(gap), float(gap / size) if size else 0.0))
    return worst


def test_all_of_them_are_there(wrong: dict[str, Case], right: dict[str, Case]) -> None:
    assert (len(wrong), len(right)) == (94, 34)
    assert (wrong.keys(), right.keys()) == (WRONG.keys(), RIGHT.keys())
    assert not wrong.keys() & right.keys()


@pytest.mark.parametrize("side", ["wrong", "right"])
def test_every_file_has_one_case_of_its_name(side: str, request: pytest.FixtureRequest) -> None:
    cases: dict[str, Case] = request.getfixturevalue(side)
    assert {name.replace("-", "_") for name in cases} == {path.stem for path in (ZOO / side).glob("*.py")}
    for name, case in cases.items():
        file = f"{name.replace('-', '_')}.py"
        assert (case.layer.forward, case.layer.backward) == (f"{file}:forward", f"{file}:backward")
        assert callable(resolve(case.layer.backward, case.layer.base))


def test_wrong_ones_are_expected_to_fail_by_their_class(wrong: dict[str, Case]) -> None:
    for name, case in wrong.items():
        assert case.expect.verdict is Verdict.FAIL
        assert case.expect.finding in {WRONG[name]["class"], *WRONG[name]["accept"]}


def test_right_ones_are_expected_to_pass_unless_there_is_nothing_to_compare(right: dict[str, Case]) -> None:
    undecided = {name for name, case in right.items() if case.expect.verdict is Verdict.UNDECIDED}
    assert undecided == {"softmax-ones-upstream", "batchnorm-sum-is-constant"}
    assert {case.expect.verdict for name, case in right.items() if name not in undecided} == {Verdict.PASS}


def test_what_is_known_hangs_together() -> None:
    assert sum(map(len, FAMILIES.values())) == 87
    for known in WRONG.values():
        assert known["class"] in FAMILIES[known["family"]]
        assert not set(known["accept"]) - {rule for rules in FAMILIES.values() for rule in rules}
    assert all(known["sources"] for known in [*WRONG.values(), *RIGHT.values()])
    assert len(RECIPES) == 74


def test_families_are_the_files(wrong: dict[str, Case]) -> None:
    for name, case in wrong.items():
        assert case.place is not None
        assert Path(case.place.file).stem.replace("_", "-") == WRONG[name]["family"]


@pytest.mark.parametrize("name", sorted(WRONG.keys() - UNSEEN_IN_ONE_CALL - {"softmax-mutates-input"}))
def test_wrong_ones_are_wrong(name: str, wrong: dict[str, Case]) -> None:
    assert all(distance(wrong[name], seed) > 1e-3 for seed in range(3))


@pytest.mark.parametrize(("name", "recipe"), RECIPES, ids=[f"{name}-{recipe['why']}" for name, recipe in RECIPES])
def test_what_hides_a_bug_hides_it(name: str, recipe: dict[str, Any], wrong: dict[str, Case]) -> None:
    case = hidden(wrong[name], recipe)

    assert distance(case) < recipe.get("tolerance", 1e-6)
