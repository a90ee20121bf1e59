"""The screens of a whole run, one under the other."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.model import Report
from gradcheck.report.summary import draw_summary
from gradcheck.report.terminal import draw


class Spacing:
    """Puts a blank line between screens, but none between cases of a line or two each."""

    def __init__(self) -> None:
        self._was_block: bool | None = None

    @property
    def used(self) -> bool:
        """Whether anything has been spaced yet."""
        return self._was_block is not None

    def space(self, screen: str) -> str:
        """Return the screen with the blank line that belongs before it."""
        is_block = "\n\n" in screen
        blank = self._was_block is not None and (is_block or self._was_block)
        self._was_block = is_block
        return f"\n{screen}" if blank else screen


def write_table(reports: Sequence[Report]) -> str:
    """Return all screens and the summary, as they are printed into a pipe."""
    spacing = Spacing()
    brief = len(reports) > 1
    screens = [spacing.space(draw(report, brief=brief)) for report in reports]
    return "\n".join([*screens, "", draw_summary(reports), ""])
