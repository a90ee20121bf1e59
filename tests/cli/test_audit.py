"""``gradcheck audit``: what a person sees of it, the gate, and what cannot be audited."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.__main__ import main
from gradcheck.errors import LayerError
from gradcheck.model import Audit, BlindSpot, Case, Plain
from gradcheck.runner import run as runs
from gradcheck.trial import case as trial

Captured = pytest.CaptureFixture[str]

ZERO = ("no entry of x is 0", "set an entry of x to 0")
ZERO_CHANGES: dict[str, Plain] = {"inputs": {"x": {"pin": 0}}}
ONES_CHANGES: dict[str, Plain] = {"upstream": "default"}
ONES = ("all entries of the upstream are equal", "use a signed Gaussian upstream, the default")


@pytest.fixture
def stubbed(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Audits that say what the tests want, by the name of the case."""

    def audit(case: Case) -> Audit:
        print("noise of a layer")
        name = case.name
        if name.endswith("raising"):
            raise LayerError("forward raised ValueError: no")
        if name.endswith("leaving"):
            raise SystemExit(3)
        zero = BlindSpot("missing-one-over-n", *ZERO, name, "x", ZERO_CHANGES)
        if name.endswith("good"):
            return Audit(name, ["sign-error", "factor-two"], [zero], ["m"])
        spots = [BlindSpot(rule, *ONES, name, changes=ONES_CHANGES) for rule in ("sign-error", "factor-two")]
        return Audit(name, ["wrong-axis"], [*spots, zero])

    monkeypatch.setattr(trial, "audit_case", audit)
    monkeypatch.setattr(runs, "stays_here", lambda *_: True)  # a worker would know of no stub
    return project


def test_one_case(stubbed: Path, capsys: Captured) -> None:
    assert main(["audit", "zero"]) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert out == (
        " 25 %  mine/zero   sees 1 of the 4 bugs that this layer could have\n"
        "\n"
        "  blind to sign-error, factor-two\n"
        "    because all entries of the upstream are equal\n"
        "    cure: use a signed Gaussian upstream, the default, as in\n"
        "\n"
        "  zero-sees-sign-error:\n"
        "    layer: {forward: 'mine.py:softmax', backward: 'mine.py:softmax_backward'}\n"
        "    inputs: {x: {shape: [4, 5]}}\n"
        "    options: {axis: -1}\n"
        "\n"
        "  blind to missing-one-over-n\n"
        "    because no entry of x is 0\n"
        "    cure: set an entry of x to 0, as in\n"
        "\n"
        "  zero-sees-missing-one-over-n:\n"
        "    layer: {forward: 'mine.py:softmax', backward: 'mine.py:softmax_backward'}\n"
        "    inputs: {x: {shape: [4, 5], pin: [{at: [2, 2], value: 0.0}]}}\n"
        "    options: {axis: -1}\n"
        "    upstream: ones\n"
    )


def test_what_is_printed_can_be_put_into_the_file(stubbed: Path, capsys: Captured) -> None:
    main(["audit", "zero"])
    out = capsys.readouterr().out
    lines = out[out.index("  zero-sees-sign-error:") : out.index("\n\n  blind to missing")]
    path = Path("cases/mine.yaml")
    path.write_text(path.read_text() + lines + "\n")

    assert main(["show", "zero-sees-sign-error"]) == 0


def test_a_suite_is_what_the_cases_of_a_layer_see_together(stubbed: Path, capsys: Captured) -> None:
    assert main(["audit", "good", "zero", "bad"]) == 0

    out = capsys.readouterr().out
    assert out.startswith(
        " 66 %  mine/good   1 blind spot\n 25 %  mine/zero   3 blind spots\n 25 %  mine/bad   3 blind spots\n\n"
        "none of the 2 cases of mine.py:softmax with softmax_backward see these bugs:\n\n"
        "  blind to missing-one-over-n\n"
    )
    assert "the only case of mine.py:softmax with wrong_backward sees these bugs:" not in out
    assert "\nthe only case of mine.py:softmax with wrong_backward does not see these bugs:\n" in out
    assert out.endswith("\n3 cases of 2 layers: 50 % of the bugs that they could have would have been seen\n")


def test_each_in_full(stubbed: Path, capsys: Captured) -> None:
    assert main(["audit", "good", "zero", "-v"]) == 0
    assert "sees 2 of the 3 bugs" in capsys.readouterr().out


def test_the_gate(stubbed: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["audit", "good", "--fail-under", "66"]) == 0
    assert main(["audit", "good", "--fail-under", "67"]) == 1
    assert capsys.readouterr().out.endswith("\nthe score 66 % is under 67 % (--fail-under)\n")
    Path("pyproject.toml").write_text("[tool.gradcheck]\nfail-under = 90\n")
    assert main(["audit", "good"]) == 1
    monkeypatch.setenv("GRADCHECK_FAIL_UNDER", "10")
    assert main(["audit", "good"]) == 0


def test_what_cannot_be_audited(stubbed: Path, capsys: Captured) -> None:
    assert main(["audit", "raising"]) == 2
    assert capsys.readouterr().err == "gradcheck: error: forward raised ValueError: no\n"
    assert main(["audit", "good", "raising", "leaving"]) == 1
    assert (
        "    -  mine/raising\n       cannot be audited: forward raised ValueError: no\n"
        "    -  mine/leaving\n       cannot be audited: the layer ended the process: SystemExit(3)\n"
    ) in capsys.readouterr().out


def test_nothing_selected(stubbed: Path, capsys: Captured) -> None:
    assert main(["audit", "-k", "nothing"]) == 2
    assert capsys.readouterr().err.startswith("gradcheck: error: no case is selected by -k 'nothing'")


def test_a_genuine_audit(project: Path, capsys: Captured) -> None:
    assert main(["audit", "good", "--shape", "1,5"]) == 0

    out = capsys.readouterr().out
    assert "bugs that this layer could have" in out
    assert "cure: make axis 0 of x longer: 3, as in" in out
    assert "    inputs: {x: {shape: [3, 5]}}" in out


def test_a_share_of_no_bugs_is_no_score(project: Path, capsys: Captured) -> None:
    Path("cases/none.yaml").write_text(
        "version: 1\ncases:\n  none: {layer: tanh, inputs: {x: {shape: [0]}}}\n  some: {layer: tanh}\n"
    )
    assert main(["audit", "none/none"]) == 0
    assert capsys.readouterr().out == "    -  none/none   has no bug to be seen: none would make a difference\n"

    assert main(["audit", "cases/none.yaml"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "    -  none/none   has no bug to be seen: none would make a difference"
    assert second.endswith("blind spots")
