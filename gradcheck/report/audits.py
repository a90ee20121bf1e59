"""Audits drawn for a person: which bugs a case could not have shown, why, and the case that would show them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from gradcheck.model import Audit, BlindSpot
from gradcheck.report import numbers
from gradcheck.report.escape import visible, visible_lines
from gradcheck.report.ink import FAINT, STRONG, Line, paint, render
from gradcheck.report.layout import wrap

INDENT = "  "

GOOD, POOR = "green", "yellow"

NOTHING = "has no bug to be seen: none would make a difference"


@dataclass(slots=True)
class Audited:
    """One case and what was found out about it.

    Attributes
    ----------
    name
        Of the case.
    layer
        What its layer is called; cases of one layer are a suite.
    audit
        Its audit; ``None`` where the case could not be audited.
    problem
        Why not.
    pastes
        Cure of a blind spot -> the text of the case that has it, to be put under ``cases:``.
    """

    name: str
    layer: str
    audit: Audit | None = None
    problem: str = ""
    pastes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Suite:
    """The cases of one layer taken together: a bug is seen if any of them sees it."""

    layer: str
    cases: list[Audited]
    seen: set[str]
    blind: list[tuple[Audited, BlindSpot]]


def join(audited: Sequence[Audited]) -> list[Suite]:
    """Return the suites of some cases, layer by layer in their order."""
    suites: dict[str, list[Audited]] = {}
    for each in audited:
        if each.audit is not None:
            suites.setdefault(each.layer, []).append(each)
    joined: list[Suite] = []
    for layer, cases in suites.items():
        audits = [(case, case.audit) for case in cases if case.audit is not None]
        seen = {rule for _, audit in audits for rule in audit.seen}
        blind: dict[str, tuple[Audited, BlindSpot]] = {}
        for case, audit in audits:
            for spot in audit.blind:
                if spot.rule not in seen:
                    blind.setdefault(spot.rule, (case, spot))
        joined.append(Suite(layer, cases, seen, list(blind.values())))
    return joined


def score(suites: Sequence[Suite]) -> float:
    """Return the share of the bugs that could be in the layers that some case would have caught, from 0 to 1."""
    seen = sum(len(suite.seen) for suite in suites)
    total = seen + sum(len(suite.blind) for suite in suites)
    return seen / total if total else 1.0


def percent(share: float) -> str:
    """Return a share rounded down, so that nothing is called complete that is not."""
    return f"{math.floor(share * 100)} %"


def draw_audit(audited: Audited, *, width: int = 80, color: bool = False) -> str:
    """Return what a person sees of the audit of one case.

    Parameters
    ----------
    audited
        The case.
    width, color
        As in :func:`gradcheck.report.terminal.draw`.
    """
    if audited.audit is None:
        return render(_problem(audited, width), color=color)
    audit = audited.audit
    total = len(audit.seen) + len(audit.blind)
    lines = [_head(audited.name, audit.score if total else None)]
    sees = f"sees {len(audit.seen)} of the {numbers.plural(total, 'bug')} that this layer could have"
    lines[0].add(f"   {sees if total else NOTHING}")
    spots = [(audited, spot) for spot in audit.blind]
    lines += _spots(spots, width)
    return render(lines, color=color)


def draw_suites(audited: Sequence[Audited], *, width: int = 80, color: bool = False) -> str:
    """Return one line for each of several cases, and then what no case of a layer would have seen."""
    lines: list[Line] = []
    for each in audited:
        if each.audit is None:
            lines += _problem(each, width)
            continue
        possible = bool(each.audit.seen or each.audit.blind)
        line = _head(each.name, each.audit.score if possible else None)
        if not possible:
            line.add(f"   {NOTHING}", FAINT)
        if each.audit.blind:
            line.add(f"   {numbers.plural(len(each.audit.blind), 'blind spot')}", FAINT)
        lines.append(line)
    suites = join(audited)
    for suite in suites:
        if suite.blind:
            name, number = visible(suite.layer), len(suite.cases)
            text = f"none of the {number} cases of {name} see these bugs:"
            if number == 1:
                text = f"the only case of {name} does not see these bugs:"
            lines += [Line(), *paint(wrap(text, width))]
            lines += _spots(suite.blind, width)
    if not suites:
        return render([*lines, Line(), Line(f"none of the {len(audited)} cases can be audited")], color=color)
    layers = numbers.plural(len(suites), "layer")
    lines += [Line(), Line(f"{numbers.plural(len(audited), 'case')} of {layers}: ").add(percent(score(suites)), STRONG)]
    lines[-1].add(" of the bugs that they could have would have been seen")
    return render(lines, color=color)


def _head(name: str, share: float | None) -> Line:
    """Return the score and the name; a share of no bugs at all is no score."""
    if share is None:
        return Line("    -").add(f"  {name}", STRONG)
    style = GOOD if share >= 1 else POOR
    return Line(f"{percent(share):>5}", style).add(f"  {name}", STRONG)


def _problem(audited: Audited, width: int) -> list[Line]:
    first, *more = visible_lines(audited.problem) or [""]
    lines = wrap(f"cannot be audited: {first}", width, " " * 7)
    return [Line("    -  ").add(audited.name, STRONG), *map(Line, lines), *(Line(f"{' ' * 7}{text}") for text in more)]


def _spots(spots: Sequence[tuple[Audited, BlindSpot]], width: int) -> list[Line]:
    """Group blind spots by their cure: the bugs, why they do not show, and what would show them."""
    groups: dict[tuple[str, str], list[tuple[Audited, BlindSpot]]] = {}
    for case, spot in spots:
        groups.setdefault((spot.cause, spot.cure), []).append((case, spot))
    lines: list[Line] = []
    for (cause, cure), members in groups.items():
        rules = ", ".join(visible(spot.rule) for _, spot in members)
        lead = "blind to "
        lines += [Line(), *paint(wrap(f"{lead}{rules}", width, INDENT, INDENT * 2), lead.strip(), FAINT)]
        inner = INDENT * 2
        lines += paint(wrap(f"because {visible(cause)}", width, inner, inner + INDENT), "because", FAINT)
        paste = members[0][0].pastes.get(cure)
        cured = f"cure: {visible(cure)}{', as in' if paste else ''}"
        lines += paint(wrap(cured, width, inner, inner + INDENT), "cure:", FAINT)
        if paste:
            # As it stands under `cases:`; never wrapped, for it is there to be copied.
            lines += [Line(), *map(Line, visible_lines(paste))]
    return lines


def explain_gate(share: float, least: float) -> str:
    """Say in one line that a score is too low."""
    return f"the score {percent(share)} is under {least:g} % (--fail-under)"
