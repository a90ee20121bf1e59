"""Cases drawn for a person: one in full, or many as a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from gradcheck.model import Case, Expectation, InputSpec, LayerSpec, Place, Plain, Settings, Verdict
from gradcheck.report import numbers
from gradcheck.report.escape import visible
from gradcheck.report.ink import FAINT, STRONG, Line, paint, render
from gradcheck.report.layout import cells, pad_right, wrap

INDENT = "  "
DIFFERENT = 4
"""So many different lines of variants are shown."""

_LAYER = LayerSpec()
_SETTINGS = Settings()


def draw_groups(cases: Sequence[Case], *, width: int = 80, color: bool = False) -> str:
    """Return everything that some cases say; what they leave to the tool is left out.

    Parameters
    ----------
    cases
        The cases; the variants of a matrix are one screen, with a list of them. Nothing of a layer is imported.
    width, color
        As in :func:`gradcheck.report.terminal.draw`.
    """
    groups: dict[tuple[str, Place | None], list[Case]] = {}
    for case in cases:
        base = case.name.partition("[")[0] if case.variant else case.name
        groups.setdefault((base, case.place), []).append(case)
    return "\n\n".join(render(_draw(group, width), color=color) for group in groups.values())


def _draw(cases: Sequence[Case], width: int) -> list[Line]:
    first = cases[0]
    name = first.name if len(cases) == 1 else first.name.partition("[")[0]
    number = "" if len(cases) == 1 else f"   {numbers.plural(len(cases), 'variant')}"
    place = f"   {_place(first.place)}" if first.place else ""
    lines = [Line(name, STRONG).add(number).add(place, FAINT)]
    if first.about:
        lines += paint(wrap(visible(first.about), width, INDENT))
    blocks = _blocks(first)
    if len(cases) > 1:
        every = [_blocks(case) for case in cases]
        blocks = {title: _together([each[title] for each in every]) for title in blocks}
        blocks["variants"] = [_variant(case, blocks) for case in cases]
    column = max(map(cells, blocks)) + 2
    lines.append(Line())
    for title, texts in blocks.items():
        for number_, text in enumerate(texts):
            lines.append(Line(INDENT + pad_right("" if number_ else title, column), FAINT).add(text))
    return lines


def _blocks(case: Case) -> dict[str, list[str]]:
    return {
        "layer": _layer(case.layer),
        "inputs": _inputs(case.inputs),
        "options": [f"{visible(key)}: {plain(value)}" for key, value in case.options.items()],
        "settings": _settings(case.settings),
        "timeout": [f"{case.timeout:g} s"] if case.timeout is not None else [],
        "expect": [visible(say_expectation(case.expect))],
        "tags": [", ".join(map(visible, case.tags))] if case.tags else [],
    }


def _together(texts: Sequence[list[str]]) -> list[str]:
    """Return what several variants say, line by line; where they differ, what there is."""
    if len({len(each) for each in texts}) > 1:
        return [text for text in texts[0] if all(text in each for each in texts)]
    lines: list[str] = []
    for same in zip(*texts, strict=True):
        words = list(dict.fromkeys(same))
        lines.append(" | ".join(words[:DIFFERENT]) + (" | ..." if len(words) > DIFFERENT else ""))
    return lines


def _variant(case: Case, said: dict[str, list[str]]) -> str:
    """Return the label of a variant, and what is its own where the label only counts."""
    label = case.name.partition("[")[2].removesuffix("]")
    if "no." not in label:
        return label
    own = [text.strip() for title, texts in _blocks(case).items() for text in texts if text not in said[title]]
    return f"{label}   {'; '.join(own)}"


def draw_cases(cases: Sequence[Case], *, verbose: bool = False, color: bool = False) -> str:
    """Return the names of cases, one a line; ``verbose``: with what is expected, tags, and the place."""
    rows: list[tuple[str, list[str]]] = []
    for case in cases:
        said = [] if case.expect == Expectation() else [f"expect {say_expectation(case.expect)}"]
        said += [f"tags {', '.join(case.tags)}"] if case.tags else []
        said += [_place(case.place)] if case.place else []
        rows.append((case.name, said if verbose else []))
    return _columns(rows, color=color)


def draw_places(listed: Sequence[tuple[str, Place, str]], *, verbose: bool = False, color: bool = False) -> str:
    """Return names, one a line; ``verbose``: each with its place and a summary.

    Parameters
    ----------
    listed
        Name, place and summary of each case or layer.
    """
    return _columns(
        [(name, [_place(place), summary] if verbose else []) for name, place, summary in listed], color=color
    )


def _columns(rows: Sequence[tuple[str, list[str]]], *, color: bool) -> str:
    column = max((cells(visible(name)) for name, _ in rows), default=0)
    lines: list[Line] = []
    for name, said in rows:
        line = Line(pad_right(visible(name), column))
        for text in filter(None, said):
            line.add("   ").add(text, FAINT)
        lines.append(line)
    return render(lines, color=color)


def _place(place: Place) -> str:
    return f"{place.file}:{place.line}" if place.line else place.file


def say_expectation(expect: Expectation) -> str:
    """Return an expectation in a few words: ``pass``, ``fail: stale-slice-counter with respect to x``."""
    text = str(expect.verdict)
    if expect.finding:
        text += f": {expect.finding}" if expect.verdict is Verdict.FAIL else f", with {expect.finding}"
    if expect.wrt:
        text += f" with respect to {expect.wrt}"
    return text + (f" in {expect.at}" if expect.at else "")


def plain(value: Plain) -> str:
    """Return a value about as a case file writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        shown = [plain(item) for item in value[:ITEMS]] + (["..."] if len(value) > ITEMS else [])
        return f"[{', '.join(shown)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{visible(key)}: {plain(item)}" for key, item in value.items()) + "}"
    return visible(str(value))


ITEMS = 12
"""Of a longer list only so many items are shown."""


def _layer(layer: LayerSpec, indent: str = "") -> list[str]:
    texts: list[str] = []
    for field in fields(layer):
        value = getattr(layer, field.name)
        if field.name in ("chain", "base") or value == getattr(_LAYER, field.name):
            continue
        texts.append(f"{indent}{field.name}: {plain(value)}")
    for number, link in enumerate(layer.chain or []):
        texts += [f"{indent}link {number + 1}", *_layer(link, indent + INDENT)]
    return texts


def _inputs(inputs: dict[str, InputSpec]) -> list[str]:
    column = max((cells(visible(name)) for name in inputs), default=0)
    texts: list[str] = []
    for name, spec in inputs.items():
        said = [pad_right(visible(name), column), visible(spec.draw)]
        said += [numbers.shape(spec.shape)] if spec.shape is not None else []
        said += [visible(spec.dtype)] if spec.dtype else []
        said += [f"{visible(key)} {plain(value)}" for key, value in spec.parameters.items()]
        said += [f"pin {numbers.at(index) or '[]'} to {value:g}" for index, value in spec.pin]
        texts.append("  ".join(said))
    return texts


def _settings(settings: Settings) -> list[str]:
    texts: list[str] = []
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value == getattr(_SETTINGS, field.name) and field.name != "seed":
            continue
        if isinstance(value, LayerSpec):
            texts += [f"{field.name}", *_layer(value, INDENT)]
        elif isinstance(value, list):
            texts += [
                f"{field.name}:",
                *(INDENT + text for text in _inputs({str(i): spec for i, spec in enumerate(value)})),
            ]
        else:
            texts.append(
                f"{field.name}: {', '.join(map(visible, value)) if isinstance(value, tuple) else plain(value)}"
            )
    return texts
