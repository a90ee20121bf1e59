from __future__ import annotations

from dataclasses import dataclass

from gradcheck.model import Case, Expectation, InputSpec, LayerSpec, Place, Settings, Verdict
from gradcheck.report.cases import draw_cases, draw_groups, draw_places
from gradcheck.report.pages import draw_index, draw_page


@dataclass
class Rule:
    id: str
    summary: str
    page: str


RULE = Rule(
    "stale-counter",
    "Every slice is given the upstream of the same slice.",
    "Every slice is given the upstream of the same slice.\n\nFormula: a_i = J_i^T g_0\nfor every slice.\n\n"
    "Wrong::\n\n    r = slices[counter]; counter += 1   # [b]not markup[/b] and \x1b[31mnot obeyed\n\n- one\n- two",
)


def test_page() -> None:
    assert draw_page(RULE, "How the upstream is used", width=40) == (
        "stale-counter   How the upstream is used\n"
        "\n"
        "Every slice is given the upstream of the\n"
        "same slice.\n"
        "\n"
        "Formula: a_i = J_i^T g_0 for every\n"
        "slice.\n"
        "\n"
        "Wrong:\n"
        "\n"
        "    r = slices[counter]; counter += 1   # [b]not markup[/b] and \\x1b[31mnot obeyed\n"
        "\n"
        "- one\n"
        "- two"
    )
    assert "\x1b[1mFormula:\x1b[0m a_i" in draw_page(RULE, "", color=True)


def test_index() -> None:
    families = {"Upstream": [RULE, Rule("other-bug", "Short.", "")], "Sign": [Rule("sign-error", "Negated.", "")]}

    assert draw_index(families, width=60) == (
        "Upstream\n"
        "  stale-counter  Every slice is given the upstream of the\n"
        "                 same slice.\n"
        "  other-bug      Short.\n"
        "\n"
        "Sign\n"
        "  sign-error     Negated."
    )
    assert draw_index(families, width=40).startswith("Upstream\n  stale-counter\n    Every slice")
    assert draw_index({}) == ""


CASE = Case(
    "documents/chain",
    LayerSpec(chain=[LayerSpec(forward="a.py:f", backward="a.py:b", bind={"g": "upstream"}), LayerSpec(target="mse")]),
    {"x": InputSpec(shape=(4, 5)), "labels": InputSpec("integers", (4,), "int32", {"high": 5}, [((0,), 3.0)])},
    {"axis": 1, "mean": True, "weights": list(range(20)), "note": "a\x1bb", "none": None, "map": {"k": 0.5}},
    Settings(wrt=("x",), axis=1, upstream=[InputSpec("constant", (4, 5), parameters={"value": 1.0})]),
    Expectation(Verdict.FAIL, "sign-error", "x", "mse"),
    ("documents", "slow"),
    "softmax with a loss",
    timeout=5.0,
    place=Place("cases/a.yaml", 7, 3),
)


def test_case() -> None:
    assert draw_groups([CASE]) == (
        "documents/chain   cases/a.yaml:7\n"
        "  softmax with a loss\n"
        "\n"
        "  layer     link 1\n"
        "              forward: a.py:f\n"
        "              backward: a.py:b\n"
        "              bind: {g: upstream}\n"
        "            link 2\n"
        "              target: mse\n"
        "  inputs    x       normal  (4, 5)\n"
        "            labels  integers  (4,)  int32  high 5  pin [0] to 3\n"
        "  options   axis: 1\n"
        "            mean: true\n"
        "            weights: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...]\n"
        "            note: a\\x1bb\n"
        "            none: null\n"
        "            map: {k: 0.5}\n"
        "  settings  wrt: x\n"
        "            axis: 1\n"
        "            upstream:\n"
        "              0  constant  (4, 5)  value 1.0\n"
        "            seed: 0\n"
        "  timeout   5 s\n"
        "  expect    fail: sign-error with respect to x in mse\n"
        "  tags      documents, slow"
    )


def test_lists() -> None:
    plain = Case("b", LayerSpec(target="b"))

    assert draw_cases([CASE, plain]) == "documents/chain\nb"
    assert draw_cases([CASE, plain], verbose=True) == (
        "documents/chain   expect fail: sign-error with respect to x in mse   tags documents, slow   cases/a.yaml:7\nb"
    )
    places = [("softmax", Place("a:b"), "gradcheck 0.1"), ("x\x1b", Place("c.yaml", 3), "")]
    assert draw_places(places) == "softmax\nx\\x1b"
    assert draw_places(places, verbose=True) == "softmax   a:b   gradcheck 0.1\nx\\x1b     c.yaml:3"
    assert draw_cases([]) == ""


def test_expectation_of_a_warning_on_a_pass() -> None:
    case = Case("a", LayerSpec(target="b"), expect=Expectation(Verdict.PASS, "overflow-in-forward"))

    assert "expect    pass, with overflow-in-forward" in draw_groups([case])


def test_variants_are_one_screen() -> None:
    def variant(axis: int, rows: int) -> Case:
        label = f"axis={axis},x=no.{rows}"
        case = Case(f"a/b[{label}]", LayerSpec(target="softmax"), {"x": InputSpec(shape=(rows, 5))}, {"axis": axis})
        case.variant, case.about = {"axis": axis, "x": {}}, "why"
        return case

    lone = Case("c", LayerSpec(target="tanh"))
    text = draw_groups([variant(0, 4), variant(1, 3), lone])

    assert text == (
        "a/b   2 variants\n"
        "  why\n"
        "\n"
        "  layer     target: softmax\n"
        "  inputs    x  normal  (4, 5) | x  normal  (3, 5)\n"
        "  options   axis: 0 | axis: 1\n"
        "  settings  seed: 0\n"
        "  expect    pass\n"
        "  variants  axis=0,x=no.4   x  normal  (4, 5); axis: 0\n"
        "            axis=1,x=no.3   x  normal  (3, 5); axis: 1\n"
        "\n"
        f"{draw_groups([lone])}"
    )
