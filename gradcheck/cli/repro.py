"""``gradcheck run --repro FILE.py``: a failing case as a Python file that needs only numpy and gradcheck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck.cli.pycode import Script, write_array, write_keywords
from gradcheck.errors import GradcheckError, UsageError
from gradcheck.model import Case, Plain, Report, Verdict
from gradcheck.report.escape import visible
from gradcheck.report.words import WORST_FIRST

if TYPE_CHECKING:
    from gradcheck.layers.protocol import Array, Layer

SMALL = 60
"""An input with more numbers is cropped first, as long as the same bug is found."""

INLINE = 400
"""More numbers than this go into a file of numpy's beside the Python file."""


@dataclass(slots=True)
class Repro:
    """The text of a file that repeats a case, and the arrays that are too large to stand in it."""

    text: str
    arrays: dict[str, Array] = field(default_factory=dict)


def pick(reports: Sequence[Report]) -> Report | None:
    """Return the report that is worth repeating: a wrong gradient rather than another surprise."""
    surprising = [report for report in reports if not report.expected]
    return min(surprising, key=lambda report: WORST_FIRST.index(report.verdict), default=None)


def write_repro(case: Case, report: Report, path: Path) -> Repro:
    """Return the file that repeats a case.

    The case has been run already, in a process of its own; here its inputs are drawn once more, in this one.

    Parameters
    ----------
    case, report
        The case, and what was said of it.
    path
        Where the file will be: the layer is imported from there.

    Raises
    ------
    UsageError
        If the inputs cannot be had, or the file cannot say how the layer is called.
    """
    from gradcheck.runner.capture import captured
    from gradcheck.trial.case import draw_upstreams, realise

    try:
        with captured():
            layer, inputs, options = realise(case)
            upstream: Sequence[Array] | None = draw_upstreams(case, layer, inputs, options)
            if report.verdict is Verdict.FAIL:
                inputs, upstream = _settle(case, report, layer, inputs, options, upstream)
    except (GradcheckError, SystemExit) as error:
        raise UsageError(f"cannot write {str(path)!r}: {visible(str(error))}") from None
    return _write(case, report, path, inputs, options, upstream)


def save_repro(case: Case, report: Report, path: str) -> None:
    """Write the file that repeats a case, as small as it was made, and a file of arrays beside it where they are large.

    Raises
    ------
    UsageError
        If it cannot be made, or cannot be written.
    """
    from gradcheck.report.formats import write_file
    from gradcheck.runner.shrinking import apply_reduction

    if report.reduced is not None:
        case = apply_reduction(case, report.reduced)
    repro = write_repro(case, report, Path(path))
    if repro.arrays:
        import numpy as np

        beside = Path(path).with_suffix(".npz")
        try:
            np.savez(beside, **repro.arrays)  # type: ignore[arg-type]
        except OSError as error:
            raise UsageError(f"cannot write {str(beside)!r}: {error.strerror or error}") from None
    write_file(path, repro.text)


def _settle(
    case: Case,
    report: Report,
    layer: Layer,
    inputs: dict[str, Array],
    options: dict[str, Plain],
    upstream: Sequence[Array] | None,
) -> tuple[dict[str, Array], Sequence[Array] | None]:
    """Return the smallest inputs on which the same bug is found, and an upstream if that is needed for it."""
    from gradcheck.trial.case import seed_of
    from gradcheck.trial.reduction import reduce_case
    from gradcheck.trial.trial import try_layer

    wanted = _bug(report)
    settings = replace(case.settings, probes=wanted is None or case.settings.probes, glance=False, pictures="none")

    def attempt(arrays: dict[str, Array], given: Sequence[Array] | None = None) -> Report:
        found = try_layer(layer.fresh(), arrays, options=options, settings=settings, upstream=given)
        if found.verdict is not Verdict.FAIL or _bug(found) != wanted:
            raise UsageError("another bug")
        return found

    if upstream is None and sum(array.size for array in inputs.values()) > SMALL:
        reduced = reduce_case(inputs, attempt)
        if reduced is not None:
            return reduced[0], None
    if upstream is None:
        # the upstream of the run itself, so that the numbers are the same
        drawn = _drawn(case, layer, inputs, options, seed_of(case))
        for given in (drawn, None):
            try:
                attempt(inputs, given)
            except GradcheckError:
                continue
            return inputs, given
    return inputs, upstream


def _drawn(
    case: Case, layer: Layer, inputs: Mapping[str, Array], options: Mapping[str, Plain], seed: list[int]
) -> tuple[Array, ...]:
    import numpy as np

    from gradcheck.trial.calls import Caller
    from gradcheck.trial.chosen import choose_inputs
    from gradcheck.trial.subject import prepare

    arrays, wrt = choose_inputs(layer, inputs, options, case.settings.wrt)
    return prepare(Caller(layer, options), arrays, wrt, None, np.random.default_rng(seed)).upstream


def _bug(report: Report) -> str | None:
    return report.bug.rule if report.bug is not None else None


def _write(
    case: Case,
    report: Report,
    path: Path,
    inputs: Mapping[str, Array],
    options: Mapping[str, Plain],
    upstream: Sequence[Array] | None,
) -> Repro:
    script = Script(path.resolve().parent)
    script.imports.add("import numpy as np")
    called = script.use_layer(case.layer)
    drawn = {f"upstream_{number}": array for number, array in enumerate(upstream or ())}
    aside = sum(array.size for array in (*inputs.values(), *drawn.values())) > INLINE
    if aside:
        script.imports.add("from pathlib import Path")
        script.add(f"arrays = np.load(Path(__file__).with_name({path.with_suffix('.npz').name!r}))")
        script.add(f"inputs = {{name: arrays[name] for name in {list(inputs)!r}}}")
    else:
        script.add("inputs = {", *(f"    {name!r}: {write_array(array)}," for name, array in inputs.items()), "}")
    if upstream is not None:
        parts = [f"arrays[{name!r}]" if aside else write_array(array) for name, array in drawn.items()]
        script.add("upstream = (", *(f"    {part}," for part in parts), ")")
    settings = case.settings
    keywords = write_keywords(
        {
            "wrt": settings.wrt,
            "options": dict(options),
            "axis": settings.axis,
            **{name: getattr(settings, name) for name in ("seed", "mode", "rtol", "atol", "eps")},
        },
        {"seed": 0, "mode": "auto"},
    )
    keywords += ["upstream=upstream"] if upstream is not None else []
    # check(layer, backward, inputs, ...) or check(layer, inputs=inputs, ...)
    by_place = [each for each in called if "=" not in each]
    by_name = [each for each in called if "=" in each]
    given = [*by_place, "inputs" if len(by_place) > 1 else "inputs=inputs", *by_name, *keywords]
    script.add("report = gradcheck.check(", *(f"    {each}," for each in given), ")")
    script.add("print(report)", f"sys.exit(report.verdict != {Verdict.PASS.value!r})")
    said = visible(report.error.partition("\n")[0]) if report.verdict is Verdict.ERROR else _bug(report)
    title = f"{case.name}: {report.verdict}{f', {said}' if said else ''}"
    return Repro(script.text(title), {**inputs, **drawn} if aside else {})
