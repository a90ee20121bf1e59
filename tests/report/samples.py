"""Reports built by hand: each a situation that a screen has to cope with."""

from __future__ import annotations

import math

from gradcheck.model import (
    BlindSpot,
    Counts,
    Entry,
    Expectation,
    Finding,
    InputReport,
    Place,
    Reduction,
    Report,
    Severity,
    SliceSummary,
    Status,
    Verdict,
)

NASTY = "soft[bold]max[/x] [axis=1]\x1b[31m\u202e\n\0é漢字🎉"
STALE = Finding(
    "stale-slice-counter",
    Severity.BUG,
    "every slice was given the upstream of slice 0.",
    "advance the index with the slice",
    {"explained": 1.8e-11, "truth": 0.94},
    wrt="x",
)
OVERFLOW = Finding(
    "overflow-in-forward",
    Severity.WARNING,
    "the forward returns nan for logits around 1000, where the function itself has a finite value.",
    "subtract the maximum before exp",
    {"logits": 1000.0},
)
BLIND = BlindSpot(
    "missing-one-over-n",
    "the batch has one sample, so that 1/N is 1",
    "use at least two samples",
    "stale-counter",
    "x",
)


def entry(
    index: tuple[int, ...],
    analytic: float,
    numeric: float,
    error: float,
    status: Status = Status.FAIL,
    bound: float = 1.7e-12,
) -> Entry:
    wrong = status in (Status.FAIL, Status.NONFINITE)
    return Entry(index, analytic, numeric, bound, error, error * 0.999 if wrong else 0.0, status)


def row(label: str, worst: Entry, wrong: int, size: int = 5, undecided: int = 0) -> SliceSummary:
    return SliceSummary(label, worst, wrong, undecided, size)


def right(name: str = "x", shape: tuple[int, ...] = (4, 5), dtype: str = "float64", **changes: object) -> InputReport:
    size = math.prod(shape)
    part = InputReport(name, shape, dtype, Verdict.PASS, size=size, compared=size, counts={"pass": size})
    part.error, part.margin, part.resolution = 3.1e-11, 40.7, 1.7e-7
    for key, value in changes.items():
        setattr(part, key, value)
    return part


def wrong(name: str = "x") -> InputReport:
    rows = [
        row(f"{name}[1, :]", entry((1, 3), 0.0311206, 0.0018412, 0.94084), 5),
        row(f"{name}[3, :]", entry((3, 0), -0.0311206, 0.18412, 0.54), 5),
        row(f"{name}[2, :]", entry((2, 0), -1.2345678e-5, -1.2345699e-5, 1.7e-6), 1),
        row(f"{name}[0, :]", entry((0, 2), -0.0412307, -0.0412307, 3.1e-11, Status.PASS), 0),
    ]
    part = InputReport(name, (4, 5), "float64", Verdict.FAIL, axis=1, size=20, compared=20)
    part.counts = {"pass": 9, "fail": 11}
    part.error, part.margin, part.resolution = 0.94084, 1e-9, 2e-7
    part.minimum_rtol, part.minimum_atol, part.minimum_at = 0.94084, 1.2341e-3, (1, 3)
    part.slices, part.slices_total, part.slices_wrong = rows, 4, 3
    part.worst = [line.worst for line in rows]
    return part


def failing(**changes: object) -> Report:
    report = Report("stale-counter", Verdict.FAIL, [STALE], [wrong()], layer="softmax", axis=1, mode="full")
    report.counts, report.blind, report.expected = Counts(48, 21), [BLIND], False
    report.repeat = "gradcheck run cases/documents/axis_softmax.yaml::stale-counter --seed 0"
    report.source = Place("cases/documents/axis_softmax.py", 31)
    for key, value in changes.items():
        setattr(report, key, value)
    return report


def passing(**changes: object) -> Report:
    report = Report("softmax", Verdict.PASS, inputs=[right()], axis=1, mode="full", counts=Counts(52, 5))
    for key, value in changes.items():
        setattr(report, key, value)
    return report


def _several_passing() -> Report:
    parts = [
        right("x", (4, 5)),
        right("gamma", (5,), "float32", counts={"pass": 4, "kink": 1}, error=3.2e-6, margin=2.26, resolution=1e-3),
        right("mask", (0, 5), "float64", counts={}, compared=0),
    ]
    return passing(name="layer-norm", inputs=parts)


def _several_failing() -> Report:
    return failing(
        name="squared-error",
        inputs=[right("target"), wrong("prediction"), right("weight", (5,))],
        findings=[STALE, OVERFLOW],
        blind=[BLIND, BLIND, BLIND],
        notes=["the layer computes in float32 inside"],
    )


def _undecided() -> Report:
    part = InputReport("arr", (2, 2), "float64", Verdict.UNDECIDED, axis=1, size=4, compared=4)
    part.counts, part.slices_total = {"undecided": 3, "pass": 1}, 2
    part.slices = [
        row("arr[0, :]", entry((0, 1), 1.5, 1.6, 0.0625, Status.UNDECIDED, 0.2), 0, 2, 2),
        row("arr[1, :]", entry((1, 0), 2.5, 2.5, 0.0, Status.UNDECIDED, 0.2), 0, 2, 1),
    ]
    return Report("noisy", Verdict.UNDECIDED, inputs=[part], axis=1, mode="full", counts=Counts(80, 4), expected=False)


def _vacuous() -> Report:
    part = InputReport("arr", (2, 2), "int64", Verdict.UNDECIDED, axis=1, size=4, compared=4, vacuous=True)
    report = Report("stale-counter-as-asked", Verdict.UNDECIDED, inputs=[part], axis=1, mode="full")
    report.expect, report.blind, report.counts = Expectation(Verdict.UNDECIDED), [BLIND], Counts(40, 4)
    return report


def _error() -> Report:
    report = Report("node-softmax", Verdict.ERROR, expected=False, counts=Counts(1, 1))
    report.error = "backward raised ValueError: operands could not be broadcast together with shapes (4,3) (4,4)"
    report.output = "".join(f"line {number}\n" for number in range(12)) + "\x1b[2Jcleared\n\n"
    report.trace = 'Traceback (most recent call last):\n  File "nodes.py", line 7, in backward\nValueError: shapes\n'
    report.repeat = "gradcheck run node-softmax --seed 0"
    return report


def _scalar() -> Report:
    part = InputReport("x", (), "float64", Verdict.FAIL, size=1, compared=1, counts={"fail": 1})
    part.slices = [row("x", entry((), 2.0, 1.0, 0.5), 1, 1)]
    part.slices_total = part.slices_wrong = 1
    part.worst = [part.slices[0].worst]
    part.minimum_rtol, part.minimum_atol, part.minimum_at = 0.5, 1.0, ()
    return failing(name="scalar", axis=None, inputs=[part], blind=[])


def _nonfinite() -> Report:
    part = InputReport("x", (3, 2), "float64", Verdict.FAIL, size=6, compared=6, counts={"nonfinite": 2, "pass": 4})
    part.slices = [
        row("x[0, :]", entry((0, 1), math.nan, 0.25, math.inf, Status.NONFINITE), 1, 2),
        row("x[2, :]", entry((2, 0), -math.inf, 1e300, math.inf, Status.NONFINITE, math.inf), 1, 2),
        row("x[1, :]", entry((1, 0), 0.5, 0.25, 0.0, Status.KINK), 0, 2),
    ]
    part.slices_total, part.slices_wrong = 3, 2
    part.worst = [line.worst for line in part.slices]
    part.minimum_rtol = part.minimum_atol = math.inf
    return failing(name="nan", axis=None, inputs=[part], findings=[], blind=[])


def _many_slices() -> Report:
    part = wrong()
    part.slices = [
        row(f"x[{number}, 0, :]", entry((number, 0, 7), 1.0 + number, 1.0, 0.5), 640, 640) for number in range(100, 130)
    ]
    part.shape, part.size, part.slices_total, part.slices_wrong = (1000, 1, 640), 640_000, 1000, 25
    part.counts = {"fail": 16_000, "pass": 624_000}
    return failing(name="large", inputs=[part])


def _long_digits() -> Report:
    part = wrong()
    near = entry((1, 3), -1.2345678901234e-101, -1.2345678901299e-101, 4.5e-12, bound=1e-115)
    part.slices = [row("x[100, 200, 300, :]", near, 5)]
    part.worst, part.slices_total, part.slices_wrong = [near], 1, 1
    part.minimum_rtol, part.minimum_atol = 4.5e-12, 5.5e-113
    return failing(name="nearly-right", inputs=[part])


def _no_slices() -> Report:
    part = wrong()
    part.slices, part.slices_total, part.axis = [], 0, None
    return failing(name="entries-only", axis=None, inputs=[part])


def _hostile() -> Report:
    part = wrong()
    part.name = NASTY
    part.slices = [row(NASTY + "[1, :]", part.worst[0], 5), row("漢字[0, :]", part.worst[1], 5)]
    part.slices_total = 2
    finding = Finding(NASTY, Severity.BUG, f"a {NASTY} b", NASTY, {NASTY: NASTY}, NASTY, NASTY, (NASTY,))
    blind = BlindSpot(NASTY, NASTY, NASTY)
    report = failing(name=NASTY, inputs=[part, right(NASTY)], findings=[finding], blind=[blind], notes=[NASTY])
    report.mode, report.repeat, report.source, report.surprise = NASTY, NASTY, Place(NASTY, 3), NASTY
    report.reduced = Reduction({NASTY: (1,)}, {NASTY: NASTY}, NASTY)
    report.error = report.output = report.trace = NASTY
    return report


SAMPLES: dict[str, Report] = {
    "fail": failing(),
    "fail-expected": failing(expected=True),
    "fail-reduced": failing(
        reduced=Reduction({"x": (2, 3)}, repeat="gradcheck run stale-counter --shape 2,3 --seed 0")
    ),
    "fail-several-inputs": _several_failing(),
    "fail-in-chain": failing(
        findings=[
            Finding("sign-error", Severity.BUG, "the gradient is negated.", wrt="x", at="activation", also=("a", "b"))
        ]
    ),
    "fail-scalar": _scalar(),
    "fail-nonfinite": _nonfinite(),
    "fail-many-slices": _many_slices(),
    "fail-long-digits": _long_digits(),
    "fail-no-slices": _no_slices(),
    "hostile": _hostile(),
    "pass": passing(),
    "pass-long-name": passing(name="reference/layer-norm-with-a-long-name[axis=1,shape=3x4x5]"),
    "pass-several-inputs": _several_passing(),
    "pass-warning": passing(findings=[OVERFLOW], blind=[BLIND]),
    "pass-unexpected": passing(
        expected=False,
        surprise="unexpected pass: the case expects stale-slice-counter; if the bug is mended, drop the expectation",
        repeat="gradcheck run softmax --seed 0",
    ),
    "pass-directions": passing(
        mode="directions", inputs=[right(shape=(1000, 1000), counts={}, compared=0, error=0.0, margin=None)]
    ),
    "undecided": _undecided(),
    "undecided-vacuous": _vacuous(),
    "error": _error(),
}
