"""Every rule, applied to two layers and more: the name comes back, or one that is listed beside it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gradcheck.rules.judgement import explain
from gradcheck.rules.registry import rules

from . import mutants  # noqa: F401 - registers the wrong backward passes
from .stand import MUTANTS, Mutant, stand


@pytest.mark.parametrize("case", MUTANTS, ids=lambda case: f"{case.rule}-{case.name}")
def test_the_name_comes_back(case: Mutant) -> None:
    bench = stand(case)

    findings = explain(bench.truth(), bench.account())

    assert findings, "the wrong gradient passed"
    assert findings[0].rule in {case.rule, *case.also}
    assert findings[0].evidence["explained"] < 0.05 * findings[0].evidence["truth"]


@pytest.mark.parametrize("case", MUTANTS[::3], ids=lambda case: case.name)
def test_the_right_backward_of_the_same_layer_has_no_name(case: Mutant) -> None:
    bench = stand(case)
    truth = bench.truth()

    def right(g, *inputs, **options):
        upstream = [g] if bench.single else list(g)
        flat = np.concatenate([np.ravel(part) for part in upstream])
        given = dict(zip(bench.inputs, inputs, strict=True))
        matrices = (bench.measure(name, given, options) for name in bench.wrt)
        return tuple((m.T @ flat).reshape(np.shape(given[name])) for m, name in zip(matrices, bench.wrt, strict=True))

    correct = stand(case, backward=right)

    assert explain(truth, correct.account()) == []


@pytest.mark.parametrize("rule", [key for key, rule in rules().items() if rule.predict is not None])
def test_every_rule_is_tried_on_two_layers(rule: str) -> None:
    assert Counter(case.rule for case in MUTANTS)[rule] >= 2
