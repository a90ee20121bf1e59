"""A run as one HTML page that needs no network: overview with search, and per case table, findings and pictures."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from importlib.util import find_spec

from gradcheck import __version__
from gradcheck.errors import UsageError
from gradcheck.model import Report, Severity, Verdict
from gradcheck.report import numbers
from gradcheck.report.summary import draw_summary
from gradcheck.report.views import view_case

MOST_CELLS = 400_000
"""Cells of heat maps on one page; each costs some forty bytes. Cases that are not as expected come first."""

MOST_JACOBIANS = 150_000
"""Of these, cells of Jacobians, which are many to a case."""

MOST_CURVES = 1_000
"""Curves on one page, of some three thousand bytes each."""


def check_jinja() -> None:
    """Refuse to begin where the page could not be made at the end.

    Raises
    ------
    UsageError
        If Jinja2 is not installed.
    """
    if find_spec("jinja2") is None:
        raise UsageError("the HTML page needs Jinja2, which is not installed", "pip install 'gradcheck[html]'")


def write_html(reports: Sequence[Report]) -> str:
    """Return the page.

    Raises
    ------
    UsageError
        If Jinja2 is not installed.
    """
    check_jinja()
    from jinja2 import Environment, StrictUndefined  # an extra

    folder = files("gradcheck.report") / "page"
    style, script = (
        "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
        for names in (("page.css",), ("list.js", "layout.js", "map.js"))
    )
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    template = environment.from_string((folder / "page.html").read_text(encoding="utf-8"))
    drawn = _pictures_that_fit(reports)
    surprising = sum(not report.expected for report in reports)
    cases = [view_case(number, report, drawn) for number, report in enumerate(reports, 1)]
    return template.render(
        version=__version__,
        title=_title(len(reports), surprising),
        good=not surprising,
        sums=draw_summary(reports, width=10_000).rpartition("\n")[2],
        counts=_counts(reports),
        cases=sorted(cases, key=lambda case: bool(case["expected"])),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _hash(text: str) -> str:
    """Return how a content security policy names the one script that may run."""
    return f"sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _title(total: int, surprising: int) -> str:
    if surprising:
        return f"{numbers.count(surprising)} of {numbers.plural(total, 'case')} not as expected"
    return f"{'all ' if total > 1 else ''}{numbers.plural(total, 'case')} as expected"


def _counts(reports: Sequence[Report]) -> list[tuple[str, str, int]]:
    """Return key, words and number for each button of the filter."""
    counts = [("surprise", "not as expected", sum(not report.expected for report in reports))]
    counts += [(str(v), str(v), sum(report.verdict is v for report in reports)) for v in Verdict]
    warned = sum(any(f.severity is Severity.WARNING for f in report.findings) for report in reports)
    return [count for count in [*counts, ("warned", "with warnings", warned)] if count[2]]


def _pictures_that_fit(reports: Sequence[Report]) -> set[int]:
    """Choose the grids and curves that are drawn, by identity, while the page has room; gradients come first."""
    order = sorted(reports, key=lambda report: (report.expected, report.verdict is Verdict.PASS))
    parts = [part for report in order for part in report.inputs]
    room, chosen = MOST_CELLS, set()
    for grids, most in (
        ((part.gradient for part in parts), MOST_CELLS),
        ((part.jacobian for part in parts), MOST_JACOBIANS),
    ):
        room = min(room, most)
        for grid in grids:
            if grid is not None and 0 < len(grid.analytic) <= room:
                room -= len(grid.analytic)
                chosen.add(id(grid))
    curves = [part.curve for part in parts if part.curve is not None]
    return chosen | {id(curve) for curve in curves[:MOST_CURVES]}
