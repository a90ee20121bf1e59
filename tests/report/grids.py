"""Reports with grids, and texts that try to be markup, for the forms that are read by programs."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from gradcheck.model import BlindSpot, Curve, Finding, Grid, Place, Report, Severity, Verdict

from .samples import SAMPLES, failing, right, wrong

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;b&gt;\"'`</title></textarea>",
    "]]></failure><failure/><!-- --",
    "a|b\n::error file=x::forged\r\n%0A::warning::y",
    "[link](https://evil.example) ![i](x.png) **bold** _it_ `code` ``` # h @user :bug: $x$ {0} {{",
    "\x1b[31mred\x00\x07\u202eright\u2028line\udcff\ufffe",
    "{{ 7*7 }} {% raw %} {# #} ${1}",
    "javascript:alert(1) www.evil.example https://evil.example",
)


def grid(shape: tuple[int, ...], *, bad: float = 0.2, seed: int = 0) -> Grid:
    """Return a grid in which a share of the entries is wrong."""
    source = random.Random(seed)
    size = math.prod(shape)
    numeric = [source.gauss(0, 1) for _ in range(size)]
    analytic = [value * (-1.0 if source.random() < bad else 1.0) for value in numeric]
    places = [i for i in range(size) if analytic[i] != numeric[i]]
    return Grid(shape, analytic, numeric, [1e-10] * size, places)


def curve() -> Curve:
    """Return a V: round-off on its left, truncation on its right."""
    steps = [1.5 * 10.0 ** (number / 2) for number in range(-20, 1)]
    errors = [1e-16 / step + 1e-2 * step**2 for step in steps]
    return Curve((1, 3), steps, errors, 0.25, 2e-11, 0.5, 1e-4, 1e-5, -1.0, 2.0, 40)


def jacobian() -> Grid:
    """Return a Jacobian of two outputs, (3, 5) and (5,), with respect to (4, 5)."""
    found = grid((20, 20), seed=1)
    found.outputs = [(3, 5), (5,)]
    return found


def drawn(name: str = "drawn", shape: tuple[int, ...] = (4, 5), **changes: object) -> Report:
    """Return a failing report whose gradient is kept."""
    part = wrong()
    part.shape, part.gradient = shape, grid(shape)
    part.axis = len(shape) - 1 if shape else None
    return failing(name=name, inputs=[part], **changes)


def hostile(text: str) -> Report:
    """Return a report all of whose texts are the same one."""
    part = wrong(text)
    part.gradient = grid((4, 5))
    part.curve = curve()
    part.dtype = text
    finding = Finding(text, Severity.BUG, text, text, {text: text, "list": [text]}, text, text, (text,))
    warning = Finding(text, Severity.WARNING, text, text, {}, text)
    report = failing(name=text, inputs=[part, right(text)], findings=[finding, warning])
    report.blind = [BlindSpot(text, text, text)]
    report.notes, report.options, report.tags = [text], {text: text}, (text,)
    report.mode = report.repeat = report.surprise = report.about = report.layer = text
    report.source, report.place = Place(text, 3, 2), Place(text, 7)
    return report


def hostile_error(text: str) -> Report:
    """Return a report of a layer that raised and printed one text."""
    report = hostile(text)
    report.verdict = Verdict.ERROR
    report.error = report.output = report.trace = f"{text}\nand\n{text}"
    return report


def all_reports() -> list[Report]:
    """Return every situation there is."""
    odd = drawn("not-finite", (2, 3))
    odd.inputs[0].gradient = Grid((2, 3), [math.nan, math.inf, -math.inf, 1.0, 0.0, -0.0], [1.0] * 6, [0.0] * 6)
    both = drawn("with-jacobian")
    both.inputs[0].jacobian = jacobian()
    both.inputs[0].curve = curve()
    strange = drawn("strange-curve")
    strange.inputs[0].curve = replace(curve(), errors=[math.nan] * 21, numeric=math.nan, bound=math.inf)
    return [
        *SAMPLES.values(),
        *(hostile(text) for text in HOSTILE),
        *(hostile_error(text) for text in HOSTILE),
        *(drawn(f"shape {shape}", shape) for shape in [(), (7,), (300,), (3, 4, 5), (2, 3, 3, 3), (500, 3), (2, 400)]),
        odd,
        both,
        strange,
    ]
