"""Whether the audit knows what a case cannot see, on the recipes of the zoo that hide a bug.

``python tests/bench/blindness.py [--seeds N] [--only PATTERN]`` audits every wrong case twice: as it stands, where the
bug shows, and under each of its recipes, where it does not. It exits with 1 where fewer than 55 of the 74 recipes list
the hidden class (or one that says the same of it) as a blind spot, or more than 5 of the originals do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from zoo import ZOO, bare, hidden, options_parser, reseed, select

from gradcheck.errors import GradcheckError
from gradcheck.model import Audit, Case
from gradcheck.trial.case import audit_case

LISTED = 55
FALSELY = 5


def audit(case: Case) -> Audit | None:
    """Audit a case; ``None`` where it cannot be run."""
    try:
        return audit_case(case)
    except GradcheckError as error:
        print(f"    {bare(case)}: {error}")
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found for every seed; return 1 where a bar is missed."""
    options = options_parser(__doc__).parse_args(arguments)
    knowledge = json.loads((ZOO / "knowledge.json").read_text(encoding="utf-8"))["wrong"]
    missed = False
    for seed in range(options.first, options.first + options.seeds):
        listed = recipes = falsely = originals = 0
        for case in select("wrong", options.only):
            known = knowledge[bare(case)]
            names = {known["class"]}
            plain = audit(reseed(case, seed))
            originals += 1
            if plain is not None and names & {spot.rule for spot in plain.blind}:
                falsely += 1
                print(f"    falsely: {bare(case)} {known['class']}")
            for recipe in known.get("hiding", []):
                recipes += 1
                found = audit(reseed(hidden(case, recipe), seed))
                if found is not None and names & {spot.rule for spot in found.blind}:
                    listed += 1
                else:
                    state = "seen" if found is not None and names & set(found.seen) else "moot"
                    print(f"    not listed: {bare(case)} {known['class']} ({recipe.get('why', '')}): {state}")
        print(f"seed {seed}: listed {listed} of {recipes} recipes, and {falsely} of {originals} originals", flush=True)
        if options.only == "*":
            missed |= listed < LISTED or falsely > FALSELY
    print("bars missed" if missed else "all bars met")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
