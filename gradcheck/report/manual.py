"""The pages of the rules, for forms that carry them along. Whoever starts the tool hands the look-up in."""

from __future__ import annotations

from collections.abc import Callable

from gradcheck.report.escape import visible
from gradcheck.report.pages import Page
from gradcheck.report.words import SUMMARIES

_look_up: Callable[[str], Page | None] | None = None


def use_manual(look_up: Callable[[str], Page | None] | None) -> None:
    """Say where the page of a rule is found; the report package cannot import the rules from down here."""
    global _look_up  # noqa: PLW0603
    _look_up = look_up


def page_of(rule: str) -> tuple[str, str]:
    """Return the summary and the whole page of a rule; of one without a page what can be said all the same."""
    page = _look_up(rule) if _look_up is not None else None
    if page is not None:
        return page.summary, page.page
    summary = SUMMARIES.get(rule, f"A finding of the kind {visible(rule)}.")
    known_elsewhere = _look_up is None and rule not in SUMMARIES
    return summary, f"{summary}\n\ngradcheck explain {visible(rule)} prints its page." if known_elsewhere else summary
