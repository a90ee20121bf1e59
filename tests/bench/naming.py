"""Names on the zoo: is the first finding of a wrong layer the bug that it has?

``python tests/bench/naming.py --seeds 11`` runs every case of ``cases/zoo/wrong`` and prints a confusion table: class
of the bug against first finding, and for every seed how often the name was

========  ============================================================================
class     the class of the bug itself
accepted  another one whose signature holds exactly for this case too
family    neither, but one of the same family
wrong     any other name: worse than none
mismatch  no name, only the fingerprint
none      no finding at all
========  ============================================================================

With ``--shapes`` every case is run on changed shapes where its layer allows that. The exit status is 1 where the
first seed names fewer than 70 of 94 (another seed, or changed shapes: 90 % of that) or more than 4 wrongly, or where
a correct layer has a finding that is a bug.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zoo import ZOO, bare, options_parser, run, select

from gradcheck.model import Case, InputSpec, Report, Severity, Verdict

FLOOR = 70 / 94
"""Share of the cases that must be named (class or accepted) with the first seed."""

WRONG = 4
"""How many of them may be named wrongly."""

GROWTH = 2
"""By how much every dimension is changed; even, so that what hangs on an odd length keeps it."""

JUDGEMENTS = ("class", "accepted", "family", "wrong", "mismatch", "none")


def first_finding(report: Report) -> str:
    """Return the rule of the best explanation, or an empty string."""
    return report.findings[0].rule if report.findings else ""


def judge(rule: str, known: Mapping[str, Any], families: Mapping[str, Sequence[str]]) -> str:
    """Return which of the judgements a name deserves."""
    if not rule:
        return "none"
    if rule == "mismatch":
        return "mismatch"
    if rule == known["class"]:
        return "class"
    if rule in known["accept"]:
        return "accepted"
    return "family" if rule in families[known["family"]] else "wrong"


def grow(case: Case) -> Case | None:
    """Return the case with every dimension a little larger, equal ones still equal; ``None`` where data fix the shape.

    Upper ends of integers (class numbers) that equal a dimension grow with it.
    """
    specs: dict[str, InputSpec] = {}
    for name, spec in case.inputs.items():
        if spec.draw in ("values", "file") or spec.shape is None:
            return None
        parameters = dict(spec.parameters)
        if "high" in parameters and spec.draw in ("integers", "permutation"):
            parameters["high"] = int(str(parameters["high"])) + GROWTH
        specs[name] = replace(spec, shape=tuple(size + GROWTH for size in spec.shape), parameters=parameters)
    upstream = case.settings.upstream
    return None if isinstance(upstream, list) else replace(case, inputs=specs)


def wrong_bugs(seed: int, pattern: str) -> list[str]:
    """Return the correct cases that have a finding above a warning."""
    return [
        f"{bare(case)}: {finding.rule}"
        for case, report in run(select("right", pattern), seed)
        for finding in report.findings
        if finding.severity is Severity.BUG
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and the counts; return 1 where a bar is missed."""
    parser = options_parser(__doc__)
    parser.add_argument("--shapes", action="store_true", help="change the shapes where the layers allow it")
    parser.add_argument("--json", metavar="PATH", help="also write every judgement to a file")
    options = parser.parse_args(arguments)
    knowledge = json.loads((ZOO / "knowledge.json").read_text(encoding="utf-8"))
    families, known = knowledge["families"], knowledge["wrong"]
    cases = select("wrong", options.only)
    if options.shapes:
        cases = [grown for case in cases if (grown := grow(case)) is not None]
    confusion: defaultdict[str, Counter[str]] = defaultdict(Counter)
    records, missed = [], False
    for seed in range(options.first, options.first + options.seeds):
        counts: Counter[str] = Counter()
        for case, report in run(cases, seed):
            if options.shapes and report.verdict is Verdict.ERROR:
                continue  # the layer does not allow this shape
            entry, rule = known[bare(case)], first_finding(report)
            judgement = judge(rule, entry, families)
            counts[judgement] += 1
            confusion[entry["class"]][rule or "(none)"] += 1
            records.append({"case": bare(case), "seed": seed, "finding": rule, "judgement": judgement})
            if judgement not in ("class", "accepted"):
                print(f"  seed {seed:3d}  {judgement:8s}  {bare(case)}: {entry['class']} called {rule or 'nothing'}")
        total = counts.total()
        bugs = wrong_bugs(seed, options.only)
        print(f"seed {seed:3d}  " + "  ".join(f"{name} {counts[name]}" for name in JUDGEMENTS) + f"  of {total}")
        print(*(f"  correct, and called {line}" for line in bugs), sep="\n", end="\n" if bugs else "", flush=True)
        floor = FLOOR * (1.0 if seed == 0 and not options.shapes else 0.9)
        named = counts["class"] + counts["accepted"]
        missed |= bool(bugs) or counts["wrong"] > WRONG or named < floor * total - 1e-9
    print()
    for name in sorted(confusion):
        calls = ", ".join(f"{rule} {count}" for rule, count in confusion[name].most_common())
        print(f"{name:34s} {calls}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(records, file, indent=1)
    print("\nbars missed" if missed else "\nall bars met")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
