"""The cases of the documents: all twenty rows are there, and say what they are expected to say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.casefile.discovery import find
from gradcheck.layers.references import resolve
from gradcheck.model import Case, Expectation, LayerSpec, Verdict

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "cases" / "documents"

PASS, FAIL, UNDECIDED, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.UNDECIDED, Verdict.ERROR
OVERFLOW = "overflow-in-forward"

ROWS: dict[str, dict[str, Expectation]] = {
    "row-softmax": {"row-softmax": Expectation(PASS, OVERFLOW)},
    "flattened-jacobian": {"flattened-jacobian": Expectation(FAIL, "cross-sample-coupling")},
    "batched-jacobian": {"batched-jacobian": Expectation(PASS)},
    "fused-softmax-cross-entropy": {"fused-softmax-cross-entropy": Expectation(PASS)},
    "homework-softmax-loss": {"homework-softmax-loss": Expectation(PASS)},
    "node-softmax": {
        "node-softmax": Expectation(ERROR),
        "node-softmax-square": Expectation(FAIL, "batch-index-as-class-index"),
        "node-softmax-single": Expectation(FAIL, "diagonal-only-jacobian"),
    },
    "node-cross-entropy": {
        "node-cross-entropy": Expectation(FAIL, "fused-shortcut-in-unfused-node", "p"),
        "node-cross-entropy-truth": Expectation(PASS),
    },
    "node-chain": {"node-chain": Expectation(FAIL), "node-chain-mended": Expectation(PASS)},
    "self-answer": {"self-answer": Expectation(FAIL, "diagonal-only-jacobian")},
    "compute-delta": {"compute-delta": Expectation(FAIL, "diagonal-only-jacobian")},
    "compute-delta-chain": {
        "compute-delta-chain": Expectation(FAIL, "diagonal-only-jacobian", "incoming", "activation")
    },
    "jacobian-loop": {"jacobian-loop": Expectation(PASS)},
    "jacobian-outer": {"jacobian-outer": Expectation(PASS)},
    "any-loss": {
        "any-loss-cross-entropy": Expectation(PASS),
        "any-loss-cross-entropy-indices": Expectation(PASS),
        "any-loss-cross-entropy-from-probabilities": Expectation(PASS),
        "any-loss-cross-entropy-from-probabilities-indices": Expectation(PASS),
        "any-loss-squared-error": Expectation(PASS),
        "any-loss-binary-cross-entropy-with-logits": Expectation(PASS),
        "any-loss-huber": Expectation(PASS),
        "any-loss-kl-divergence": Expectation(PASS),
    },
    "stale-counter": {"stale-counter": Expectation(FAIL, "stale-slice-counter")},
    "stale-counter-fixed": {"stale-counter-fixed": Expectation(PASS)},
    "stale-counter-as-asked": {
        "stale-counter-as-asked": Expectation(UNDECIDED),
        "stale-counter-as-asked-fixed": Expectation(UNDECIDED),
    },
    "tiled-jacobian": {"tiled-jacobian": Expectation(PASS, OVERFLOW)},
    "tiled-jacobian-untransposed": {
        "tiled-jacobian-untransposed": Expectation(FAIL, "wrong-outer-product"),
        "tiled-jacobian-untransposed-times-upstream": Expectation(FAIL, "wrong-outer-product"),
    },
    "outer-by-dot": {"outer-by-dot": Expectation(PASS)},
}
"""What is expected of the cases that stand for a row."""

EXPECTED = {name: expectation for row in ROWS.values() for name, expectation in row.items()}


def bare(case: Case) -> str:
    """Return the name of a case without its folder and its variant."""
    return case.name.rpartition("/")[2].partition("[")[0]


def references(layer: LayerSpec) -> Iterator[str]:
    """Yield the references to files of a layer and of its links."""
    for text in (layer.target, layer.forward, layer.backward, layer.object, layer.node):
        if text is not None and ".py:" in text:
            yield text
    for link in layer.chain or ():
        yield from references(link)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return find([str(DOCUMENTS)], root=ROOT)


def test_the_twenty_rows_are_there(cases: list[Case]) -> None:
    assert len(ROWS) == 20
    assert {bare(case) for case in cases} == set(EXPECTED)


def test_every_case_expects_what_its_row_says(cases: list[Case]) -> None:
    assert [case.name for case in cases if case.expect != EXPECTED[bare(case)]] == []


def test_every_case_says_what_it_is(cases: list[Case]) -> None:
    assert [case.name for case in cases if not case.about.endswith(".")] == []
    assert {case.tags for case in cases} == {("documents",)}


def test_the_counter_is_tried_along_every_axis_of_two_and_three_dimensions(cases: list[Case]) -> None:
    for name in ("stale-counter", "stale-counter-fixed"):
        tried = {
            (case.inputs["arr"].shape, case.settings.axis % len(case.inputs["arr"].shape or ()))
            for case in cases
            if bare(case) == name and case.settings.axis is not None
        }
        assert tried == {((4, 5), 0), ((4, 5), 1), ((3, 4, 5), 0), ((3, 4, 5), 1), ((3, 4, 5), 2)}


def test_references_exist(cases: list[Case]) -> None:
    for case in cases:
        for text in references(case.layer):
            assert callable(resolve(text, case.layer.base)), text


def test_every_file_is_referred_to(cases: list[Case]) -> None:
    named = {text.partition(":")[0] for case in cases for text in references(case.layer)}
    assert named == {path.name for path in DOCUMENTS.glob("*.py")}


def test_any_loss_means_every_loss_of_the_reference_library(cases: list[Case]) -> None:
    from gradcheck.reference.catalogue import CASES

    losses = {name for name, case in CASES.items() if any(each in case.inputs for each in ("target",))}
    assert {bare(case) for case in cases if bare(case).startswith("any-loss")} == {
        f"any-loss-{name}" for name in losses
    }
