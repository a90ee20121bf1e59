"""The cases of the documents, run: each says what it ought to, and a bug is named without being expected."""

from __future__ import annotations

import re
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradcheck import audit
from gradcheck.__main__ import main
from gradcheck.casefile.discovery import find
from gradcheck.casefile.draw import draw_inputs
from gradcheck.layers.build import build
from gradcheck.model import Case, Expectation, Report, Severity, Verdict
from gradcheck.report.json import read_json
from gradcheck.trial.case import try_case

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "cases" / "documents"

CASES = find([str(DOCUMENTS)], root=ROOT)
BUGGY = [case for case in CASES if case.expect.verdict is Verdict.FAIL]

NAMES = {
    "flattened-jacobian": "cross-sample-coupling",
    "node-softmax-square": "batch-index-as-class-index",
    "node-softmax-single": "diagonal-only-jacobian",
    "node-cross-entropy": "fused-shortcut-in-unfused-node",
    "node-chain": "batch-index-as-class-index",
    "self-answer": "diagonal-only-jacobian",
    "compute-delta": "diagonal-only-jacobian",
    "compute-delta-chain": "diagonal-only-jacobian",
    "stale-counter": "stale-slice-counter",
    "tiled-jacobian-untransposed": "wrong-outer-product",
    "tiled-jacobian-untransposed-times-upstream": "wrong-outer-product",
}
"""What the wrong implementations are called; of the two in a chain, the first."""


def bare_name(name: str) -> str:
    return name.rpartition("/")[2].partition("[")[0]


def bare(case: Case) -> str:
    return bare_name(case.name)


def case_of(name: str) -> Case:
    return next(case for case in CASES if name in (case.name.rpartition("/")[2], bare(case)))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_it_says_what_is_expected(case: Case) -> None:
    report = try_case(case)

    assert report.expected, report.surprise or report.error


@pytest.mark.parametrize("case", BUGGY, ids=[case.name for case in BUGGY])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_bug_is_named_without_being_expected(case: Case, seed: int) -> None:
    unaware = replace(case, expect=Expectation(), settings=replace(case.settings, seed=seed))

    report = try_case(unaware)

    assert report.verdict is Verdict.FAIL
    assert not report.expected
    assert report.findings[0].rule == NAMES[bare(case)]
    assert report.findings[0].severity is Severity.BUG


def test_every_wrong_implementation_has_a_name() -> None:
    assert {bare(case) for case in BUGGY} == NAMES.keys()


@pytest.fixture(scope="module")
def unexpecting(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, list[Report]]:
    """Return the status and the reports of a run of the documents with no bug expected any more."""
    folder = tmp_path_factory.mktemp("project") / "documents"
    shutil.copytree(DOCUMENTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in folder.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"^    expect: .*fail.*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    written = folder / "run.json"
    status = main(["run", "-qq", str(folder), "--report", f"json={written}"])
    return status, read_json(written.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_without_its_expectation_the_run_fails_and_names_the_bug(
    name: str, unexpecting: tuple[int, list[Report]]
) -> None:
    status, reports = unexpecting
    found = [report for report in reports if name in (report.name.rpartition("/")[2], bare_name(report.name))]

    assert status == 1
    assert found
    for report in found:
        assert report.verdict is Verdict.FAIL
        assert not report.expected
        assert report.findings[0].rule == NAMES[name]


def test_all_others_pass_without_an_expectation_too(unexpecting: tuple[int, list[Report]]) -> None:
    surprises = {report.name.rpartition("/")[2] for report in unexpecting[1] if not report.expected}

    assert surprises == {case.name.rpartition("/")[2] for case in BUGGY}


def test_the_documents_as_they_are_run_without_a_surprise(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["run", str(DOCUMENTS)])

    assert status == 0
    assert "not as expected" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["row-softmax", "compute-delta", "tiled-jacobian"])
def test_a_softmax_without_a_shift_is_warned_of(name: str) -> None:
    report = try_case(case_of(name))

    assert ("overflow-in-forward", Severity.WARNING) in [(each.rule, each.severity) for each in report.findings]


def test_the_node_that_raises_says_which_shapes() -> None:
    report = try_case(case_of("node-softmax"))

    assert report.verdict is Verdict.ERROR
    assert "(4,4) (4,3)" in report.error


def test_a_chain_is_blamed_on_the_link_that_is_wrong() -> None:
    delta = [finding.at for finding in try_case(case_of("compute-delta-chain")).findings]
    nodes = {finding.at: finding.rule for finding in try_case(case_of("node-chain")).findings}

    assert delta == ["activation"]
    assert nodes == {"softmax": "batch-index-as-class-index", "cross-entropy": "fused-shortcut-in-unfused-node"}


def test_the_audit_says_that_ones_cannot_see_a_stale_counter() -> None:
    room = runpy.run_path(str(DOCUMENTS / "axis_softmax.py"))
    asked = {"arr": np.array([[1.0, 2.0], [3.0, 4.0]])}

    blind = {}
    for upstream in ("ones", "normal"):
        found = audit(room["softmax"], room["softmax_backward"], asked, options={"axis": 1}, upstream=upstream)
        blind[upstream] = {spot.rule for spot in found.blind}

    assert "stale-slice-counter" in blind["ones"]
    assert "stale-slice-counter" not in blind["normal"]


def test_the_mended_nodes_equal_the_fused_gradient() -> None:
    case = case_of("node-chain-mended[shape=4x3]")
    inputs = draw_inputs(case.inputs, 0, case.name)
    layer = build(case.layer, tuple(inputs), case.options)
    outputs = layer.forward(inputs, {})

    gradients = layer.vjp([np.array(1.0)], inputs, outputs, {}, ["x"])

    fused = runpy.run_path(str(DOCUMENTS / "batch_softmax.py"))["cross_entropy_gradient"](inputs["x"], inputs["t"])
    np.testing.assert_allclose(gradients.by_input["x"], fused, rtol=1e-12, atol=1e-15)


def test_the_delta_is_the_diagonal_in_disguise() -> None:
    layer = runpy.run_path(str(DOCUMENTS / "compute_delta.py"))["Softmax"]()
    incoming = np.random.default_rng(0).standard_normal(7)
    outgoing = layer.compute(incoming)

    np.testing.assert_allclose(layer.delta(incoming, outgoing), outgoing * (1 - outgoing), rtol=1e-14)
