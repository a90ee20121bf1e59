"""Verdicts on the zoo: which correct layers are called wrong, and which wrong ones are not.

``python tests/bench/zoo.py --seeds 20`` runs every case of ``cases/zoo`` with as many seeds and prints a line for
each. It exits with 1 where, for any seed, a correct layer fails or raises, more than two of them are undecided, a
wrong layer passes or raises, or more than three of them are undecided.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradcheck.casefile.discovery import find
from gradcheck.casefile.parse import load_text
from gradcheck.model import Case, Report, Verdict
from gradcheck.trial.case import try_case

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "cases" / "zoo"

BARS = {
    ("right", Verdict.FAIL): 0,
    ("right", Verdict.ERROR): 0,
    ("right", Verdict.UNDECIDED): 2,
    ("wrong", Verdict.PASS): 0,
    ("wrong", Verdict.ERROR): 0,
    ("wrong", Verdict.UNDECIDED): 3,
}
"""How many cases of a side may have a verdict, for every seed."""


def bare(case: Case) -> str:
    """Return the name of a case without its folders."""
    return case.name.rpartition("/")[2]


def select(side: str, pattern: str = "*") -> list[Case]:
    """Return the cases of ``wrong`` or ``right`` whose name matches a pattern, or holds it."""
    cases = find([str(ZOO / side)], root=ROOT)
    return [case for case in cases if fnmatch.fnmatch(bare(case), f"*{pattern.strip('*')}*")]


def hidden(case: Case, recipe: Mapping[str, Any]) -> Case:
    """Return a wrong case with the inputs, options and upstream under which its bug does not show.

    The recipes stand in ``cases/zoo/knowledge.json``, in the words of a case file.
    """
    changes = {key: recipe[key] for key in ("options", "upstream") if key in recipe}
    document = {"layer": "none", "inputs": recipe.get("inputs", {}), **changes}
    (parsed,) = load_text(json.dumps({"version": 1, "cases": {"hidden": document}}))
    return replace(
        case,
        inputs={**case.inputs, **parsed.inputs},
        options={**case.options, **parsed.options},
        settings=replace(case.settings, upstream=parsed.settings.upstream or case.settings.upstream),
    )


def reseed(case: Case, seed: int) -> Case:
    """Return the case with another seed."""
    return replace(case, settings=replace(case.settings, seed=seed))


def run(cases: Sequence[Case], seed: int) -> Iterator[tuple[Case, Report]]:
    """Try all cases with a seed; a crash of the checker counts as the verdict ``error``."""
    for case in cases:
        try:
            report = try_case(reseed(case, seed))
        except Exception as error:  # noqa: BLE001  (one crash must not hide the rest of the table)
            report = Report(case.name, Verdict.ERROR, error=f"gradcheck crashed: {type(error).__name__}: {error}")
        yield case, report


def options_parser(about: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that the scripts about the zoo share."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="number of seeds (default 3)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first of them (default 0)")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="only cases whose name matches")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the counts of every seed; return 1 where a bar is missed."""
    options = options_parser(__doc__).parse_args(arguments)
    sides = {side: select(side, options.only) for side in ("right", "wrong")}
    if not any(sides.values()):
        print(f"no case of the zoo matches {options.only!r}")
        return 2
    print("   ".join(f"{side}: {len(cases)} cases" for side, cases in sides.items()))
    missed, against = False, Counter[str]()
    for seed in range(options.first, options.first + options.seeds):
        start = time.perf_counter()
        line = [f"seed {seed:3d}"]
        for side, cases in sides.items():
            counts: Counter[Verdict] = Counter()
            for case, report in run(cases, seed):
                counts[report.verdict] += 1
                if (side, report.verdict) in BARS:
                    against[f"{side} and {report.verdict}: {bare(case)}  {report.error}".rstrip()] += 1
            line.append(f"{side}: " + "  ".join(f"{verdict} {counts[verdict]}" for verdict in Verdict))
            missed |= any(counts[verdict] > bar for (which, verdict), bar in BARS.items() if which == side)
        print("   ".join([*line, f"{time.perf_counter() - start:.1f} s"]), flush=True)
    print(*(f"{count:3d} of {options.seeds}  {what}" for what, count in sorted(against.items())), sep="\n")
    print("bars missed" if missed else "all bars met")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
