"""``gradcheck run --repro FILE.py``: a failing case as a Python file that needs only numpy and gradcheck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck.cli.pycode import Script, write_array, write_keywords
from gradcheck.errors import LayerError, UsageError
from gradcheck.model import Case, Plain, Report, Verdict
from gradcheck.report.escape import visible
from gradcheck.report.words import WORST_FIRST

if TYPE_CHECKING:
    from gradcheck.layers.protocol import Array
    from gradcheck.runner.plan import Plan

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


def write_repro(case: Case, report: Report, path: Path, plan: Plan | None = None) -> Repro:
    """Return the file that repeats a case.

    The case has been run already; its inputs are drawn once more, and cropped, where it was run.

    Parameters
    ----------
    case, report
        The case, and what was said of it.
    path
        Where the file will be: the layer is imported from there.
    plan
        How the case was run.

    Raises
    ------
    UsageError
        If the inputs cannot be had, or the file cannot say how the layer is called.
    """
    from gradcheck.runner import run_errand
    from gradcheck.runner.errands import ExampleErrand

    errand = ExampleErrand(report.verdict is Verdict.FAIL, _bug(report))
    ((_, example),) = run_errand([case], errand, plan)
    if isinstance(example, LayerError):
        raise UsageError(f"cannot write {str(path)!r}: {visible(str(example))}")
    return _write(case, report, path, example.inputs, example.options, example.upstream)


def save_repro(case: Case, report: Report, path: str, plan: Plan | None = None) -> None:
    """Write the file that repeats a case, as small as it was made, and a file of arrays beside it where they are large.

    ``plan`` is how the case was run.

    Raises
    ------
    UsageError
        If it cannot be made, or cannot be written.
    """
    from gradcheck.report.formats import write_file
    from gradcheck.runner.shrinking import apply_reduction

    if report.reduced is not None:
        case = apply_reduction(case, report.reduced)
    repro = write_repro(case, report, Path(path), plan)
    if repro.arrays:
        import numpy as np

        beside = Path(path).with_suffix(".npz")
        try:
            np.savez(beside, **repro.arrays)  # type: ignore[arg-type]
        except OSError as error:
            raise UsageError(f"cannot write {str(beside)!r}: {error.strerror or error}") from None
    write_file(path, repro.text)


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
