"""Case files written for Python files: what is found, that nothing is run, and that the cases do run."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from gradcheck.__main__ import main
from gradcheck.casefile.parse import load
from gradcheck.cli.draft.scan import scan
from gradcheck.cli.draft.sketch import sketch
from gradcheck.cli.init import draft_cases
from gradcheck.errors import UsageError
from gradcheck.model import Case, Verdict
from gradcheck.trial.case import try_case

Captured = pytest.CaptureFixture[str]

LAYERS = '''
"""My layers."""
import numpy as np


def softmax(x, axis):
    """Softmax along an axis."""
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def softmax_backward(x, axis, upper_grad):
    s = softmax(x, axis)
    return s * (upper_grad - (upper_grad * s).sum(axis, keepdims=True))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_prime(x):
    s = sigmoid(x)
    return s * (1 - s)


def cross_entropy(p, y):
    n = p.shape[0]
    return -np.log(p[np.arange(n), y]).mean()


def d_cross_entropy(p, y):
    g = np.zeros_like(p)
    rows = np.arange(p.shape[0])
    g[rows, y] = -1 / p[rows, y] / p.shape[0]
    return g


def affine(x, w, b):
    return x @ w + b


def affineBackward(g, x, w, b):
    return g @ w.T, x.T @ g, g.sum(0)


class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * 0.1
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(0)
        return grad @ self.W.T


class Base:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, g):
        raise NotImplementedError


class Square(Base):
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, q):
        return 2 * q * self.x


class Scale:
    def __init__(self, gamma):
        self.gamma = gamma

    def prop(self, x):
        self.x = x
        return x * self.gamma

    def prop_back(self, g):
        self.grad_gamma = (g * self.x).sum(0)
        return g * self.gamma
'''


def draft(text: str) -> dict[str, Case]:
    """Return the cases of a text, by name."""
    result = scan(ast.parse(text))
    return {made.case.name: made.case for made in (sketch(each, "m.py", result.constants) for each in result.found)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(LAYERS)
    return tmp_path


def test_the_cases_run_and_pass(folder: Path, capsys: Captured) -> None:
    assert main(["init", "mine.py"]) == 0
    assert capsys.readouterr().out == (
        "wrote cases/mine.yaml: 7 cases (softmax, sigmoid, cross-entropy, affine, linear, square, scale)\n"
        "next: gradcheck run cases/mine.yaml\n"
    )
    reports = [try_case(case) for case in load("cases/mine.yaml")]

    assert [str(report.verdict) for report in reports] == ["pass"] * 7
    assert [part.name for part in reports[4].inputs] == ["x", "W", "b"]
    assert main(["run", "cases/mine.yaml", "-q"]) == 0


def test_the_first_lines_name_the_schema_and_what_is_a_guess(folder: Path) -> None:
    main(["init", "mine.py"])
    text = Path("cases/mine.yaml").read_text()

    assert text.startswith("# yaml-language-server: $schema=case.schema.json\n")
    assert (
        "  # guesses: shapes (x 4x5); axis -1\n  softmax:\n    about: Softmax along an axis.\n"
        "    layer: {forward: '../mine.py:softmax', backward: '../mine.py:softmax_backward'}\n"
    ) in text
    assert json.loads(Path("cases/case.schema.json").read_text())["title"] == "gradcheck case file"


def test_nothing_is_run(folder: Path) -> None:
    Path("mine.py").write_text(
        "raise SystemExit('run')\n@print\ndef f(x, k=print('run')): return x\ndef df(g, k=print('run')): return g\n"
    )

    assert main(["init", "mine.py"]) == 0


def test_a_file_is_not_overwritten(folder: Path, capsys: Captured) -> None:
    Path("cases").mkdir()
    Path("cases/mine.yaml").write_text("mine")
    Path("cases/case.schema.json").write_text("{}")

    assert main(["init", "mine.py"]) == 2
    assert capsys.readouterr().err == (
        "gradcheck: error: 'cases/mine.yaml' is there already\n"
        "  = help: give --force to overwrite it, or --output PATH\n"
    )
    assert Path("cases/mine.yaml").read_text() == "mine"
    assert main(["init", "mine.py", "--force"]) == 0
    assert Path("cases/mine.yaml").read_text() != "mine"
    # a schema of somebody else's stays
    assert Path("cases/case.schema.json").read_text() == "{}"


def test_where_it_goes(folder: Path) -> None:
    Path("pyproject.toml").write_text("[tool.gradcheck]\ncases = ['one.yaml', 'tests/gradients']\n")
    assert main(["init", "mine.py"]) == 0
    assert Path("tests/gradients/mine.yaml").exists()
    assert main(["init", "mine.py", "-o", "here.yaml"]) == 0
    assert "mine.py:softmax" in Path("here.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "cannot read 'mine.py': No such file or directory\n"),
        ("x = (\n", "mine.py:1: no Python: '(' was never closed\n"),
        (
            "x = 1\n",
            "'mine.py' holds no forward with a backward that a case could be made of\n"
            "  = help: pairs are called like softmax and softmax_backward, or forward and backward\n",
        ),
        (
            "def lone_backward(g):\n    return g\n",
            "'mine.py' holds no forward with a backward that a case could be made of\n"
            "  = help: mine.py:1: lone_backward has no forward that it belongs to\n",
        ),
        (
            "class A:\n    def __init__(self, rng): ...\n    def forward(self, x): return x\n"
            "    def backward(self, g): return g\n",
            "'mine.py' holds no forward with a backward that a case could be made of\n"
            "  = help: mine.py:1: no case for A: its constructor needs rng, which no case file can give\n",
        ),
    ],
)
def test_what_cannot_be_done(text: str | None, error: str, folder: Path, capsys: Captured) -> None:
    Path("mine.py").unlink() if text is None else Path("mine.py").write_text(text)

    assert main(["init", "mine.py"]) == 2
    assert capsys.readouterr() == ("", f"gradcheck: error: {error}")
    assert not Path("cases").exists()


def test_a_folder_that_is_not_there(folder: Path, capsys: Captured) -> None:
    assert main(["init", "mine.py", "-o", "none/x.yaml"]) == 2
    assert capsys.readouterr().err.startswith("gradcheck: error: cannot write 'none/x.yaml': there is no folder")


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        ("softmax", "softmax_backward"),
        ("softmax", "softmax_grad"),
        ("softmax", "d_softmax"),
        ("softmax", "dsoftmax"),
        ("softmax", "grad_softmax"),
        ("softmax", "softmaxBackward"),
        ("softmax_forward", "softmax_backward"),
        ("forward_softmax", "backward_softmax"),
        ("_softmax", "_softmax_vjp"),
        ("softmax", "softmax_jacobian"),
        ("forward", "backward"),
        ("f", "df"),
        ("f", "grad"),
        ("forward", "wrong_backward"),
    ],
)
def test_names_of_pairs(forward: str, backward: str) -> None:
    (found,) = scan(ast.parse(f"def {forward}(x): return x\ndef {backward}(g, x): return g\n")).found

    assert (found.forward.name, found.backward.name) == (forward, backward)


@pytest.mark.parametrize(
    "text", ["def step(x): ...\ndef back(x): ...\n", "def gradient(x): ...\n", "def order(x): ...\n"]
)
def test_names_of_no_pairs(text: str) -> None:
    assert scan(ast.parse(text)).found == []


def test_functions_of_torch() -> None:
    cases = draft(
        "import torch\n"
        "class Linear(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, input, weight, bias=None):\n"
        "        ctx.save_for_backward(input, weight)\n"
        "        return input.mm(weight.t())\n"
        "    @staticmethod\n"
        "    def backward(ctx, grad_output):\n"
        "        input, weight = ctx.saved_tensors\n"
        "        return grad_output.mm(weight), grad_output.t().mm(input), None\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x): return x\n"
        "    def backward(self, g): return g\n"
    )

    assert list(cases) == ["linear"]
    assert cases["linear"].layer.target == "m.py:Linear"
    assert {name: spec.shape for name, spec in cases["linear"].inputs.items()} == {"input": (4, 5), "weight": (3, 5)}
    assert cases["linear"].settings.wrt is None


@pytest.mark.parametrize(
    ("body", "shapes"),
    [
        ("def f(q, k, v): return softmax(q @ k.T) @ v", {"q": (4, 5), "k": (3, 5), "v": (3, 6)}),
        ("def f(x, gamma, beta): return x * gamma + beta", {"x": (4, 5), "gamma": (5,), "beta": (5,)}),
        (
            "def f(x, w, b):\n    N, C, H, W = x.shape\n    F, _, HH, WW = w.shape\n    return x",
            {"x": (2, 3, 6, 5), "w": (7, 3, 3, 3), "b": (7,)},
        ),
        ("def f(a, b): return np.einsum('bij,bjk->bik', a, b)", {"a": (2, 4, 5), "b": (2, 5, 3)}),
        ("def f(A): return np.linalg.inv(A)", {"A": (4, 4)}),
        ("def f(x): return x.mean(axis=(0, 2, 3), keepdims=True)", {"x": (2, 3, 6, 5)}),
        ("def f(x): return np.transpose(x, (1, 2, 0))", {"x": (2, 4, 5)}),
        ("def f(table, idx): return table[idx]", {"table": (4, 5), "idx": (4,)}),
        ("def g(x, w): return x @ w\ndef f(x, w): return g(x, w)", {"x": (4, 5), "w": (5, 3)}),
        ("W = np.ones((3, 2))\ndef f(x): return x @ W", {"x": (4, 3)}),
    ],
)
def test_shapes(body: str, shapes: dict[str, tuple[int, ...]]) -> None:
    (case,) = draft(f"{body}\n\n\ndef f_backward(g): return g\n").values()

    assert {name: spec.shape for name, spec in case.inputs.items()} == shapes


def test_draws() -> None:
    (case,) = draft(
        "def f(p, t, mask): return -(t * np.log(p) + (1 - t) * np.log(1 - p)) * mask\ndef df(g, p, t, mask): return g\n"
    ).values()

    assert {name: spec.draw for name, spec in case.inputs.items()} == {
        "p": "uniform",
        "t": "bernoulli",
        "mask": "bernoulli",
    }
    assert case.settings.wrt is None


def test_options_by_annotation_and_by_use() -> None:
    (case,) = draft(
        "def f(x: np.ndarray, k: int, along, eps, s: 'np.ndarray'): return x.sum(axis=along)\ndef df(g): return g\n"
    ).values()

    assert list(case.inputs) == ["x", "s"]
    assert case.options == {"k": 2, "along": -1, "eps": 1e-5}


def test_an_argument_that_could_be_anything_is_bound_and_called_a_guess(folder: Path) -> None:
    Path("mine.py").write_text("def f(x): return x * x\ndef f_backward(one, two): return 2 * one * two\n")
    text, cases, _ = draft_cases(Path("mine.py"), Path("cases/mine.yaml"))

    assert cases[0].layer.bind["one"] == "upstream"
    assert "one is the upstream" in text


def test_an_argument_that_nothing_is_likely_for(folder: Path) -> None:
    Path("mine.py").write_text("def f(x): return x\ndef f_backward(g, x, y, odd): return g\n")

    with pytest.raises(UsageError) as caught:
        draft_cases(Path("mine.py"), Path("cases/mine.yaml"))
    assert "no case for f: the argument odd of `f_backward` stands for nothing that there is" in caught.value.help


def test_most_of_the_zoo_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcheck.casefile.parse import load_text

    zoo = Path(__file__).parents[2] / "cases" / "zoo" / "right"
    files = sorted(zoo.glob("*.py"))[:16]
    verdicts = []
    for path in files:
        text, _, _ = draft_cases(path, path.parent / "new.yaml")
        verdicts += [try_case(case).verdict for case in load_text(text, base=str(path.parent))]

    assert len(verdicts) >= len(files)
    assert sum(verdict is not Verdict.ERROR for verdict in verdicts) >= 0.75 * len(verdicts)


def test_the_next_command_is_quoted(folder: Path, capsys: Captured) -> None:
    assert main(["init", "mine.py", "-o", "my cases.yaml"]) == 0

    assert capsys.readouterr().out.endswith("\nnext: gradcheck run 'my cases.yaml'\n")
