"""References to files and modules, and every way in which they can go wrong."""

import sys
import textwrap

import pytest

from gradcheck.errors import LayerError, NameLookupError
from gradcheck.layers.modules import Session
from gradcheck.layers.references import is_reference, resolve

from .samples import pairs
from .tools import SAMPLES

BASE = str(SAMPLES)
HELP = "\n  = help: "
PAIRS = HELP + "it has Layers, pair, softmax, softmax_backward, wrong_backward"
INSTALL = "pip install the package that has it, or name a file: FILE.py:NAME"
CHECK = "check its name, and the version of its package"
FORM = HELP + "write package.module:NAME or file.py:NAME"


def test_files_relative_to_a_folder():
    assert resolve("pairs.py:softmax", BASE).__name__ == "softmax"
    assert resolve(f"{BASE}/pairs.py:softmax").__name__ == "softmax"
    assert resolve("../samples/pairs.py:softmax", BASE).__name__ == "softmax"


def test_files_relative_to_the_working_directory(monkeypatch):
    monkeypatch.chdir(SAMPLES)

    assert resolve("pairs.py:softmax").__name__ == "softmax"


def test_dotted_attributes():
    assert resolve("pairs.py:Layers.Inner.double", BASE)(2) == 4


def test_modules():
    assert resolve(f"{pairs.__name__}:softmax").__name__ == "softmax"
    assert resolve("os.path:join")("a", "b") == "a/b"


def test_modules_beside_the_case_file_and_in_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "beside_it.py").write_text("def f(x): return x\n")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "in_here.py").write_text("def f(x): return x\n")
    monkeypatch.chdir(tmp_path / "work")
    path = list(sys.path)

    assert resolve("beside_it:f", str(tmp_path))(1) == 1
    assert resolve("in_here:f", str(tmp_path))(1) == 1
    assert sys.path == path
    for name in ("beside_it", "in_here"):
        del sys.modules[name]


def test_functions_of_one_session_share_their_module():
    session = Session()
    forward, backward = resolve("cached.py:forward", BASE, session), resolve("cached.py:backward", BASE, session)

    assert forward.__globals__ is backward.__globals__
    assert resolve("cached.py:forward", BASE).__globals__ is not forward.__globals__


def test_two_folders_may_each_have_a_module_of_one_name():
    one, two = resolve("one/scaled.py:forward", BASE), resolve("two/scaled.py:forward", BASE)

    assert (one(1.0), two(1.0)) == (2.0, 3.0)
    assert BASE + "/one" not in sys.path


def test_two_files_of_one_session_share_what_one_imports_of_the_other():
    for order in (("front.py:cache", "back.py:cache"), ("back.py:cache", "front.py:cache")):
        session = Session()
        first, second = (resolve(f"one/{text}", BASE, session) for text in order)

        assert first is second
    assert "front" not in sys.modules or sys.modules["front"].__file__.startswith(BASE)


def test_a_module_of_the_user_s_own_is_left_alone(tmp_path):
    (tmp_path / "helpers.py").write_text("FACTOR = 7.0\n")
    sys.path.insert(0, str(tmp_path))
    try:
        import helpers

        assert resolve("one/scaled.py:forward", BASE)(1.0) == 7.0
        assert sys.modules["helpers"] is helpers
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("helpers", None)


def test_dataclasses_and_pickle_find_their_module(tmp_path):
    (tmp_path / "data.py").write_text(
        textwrap.dedent("""
        from __future__ import annotations
        import pickle
        from dataclasses import dataclass

        @dataclass
        class Layer:
            size: int

        def f():
            return pickle.loads(pickle.dumps(Layer(3)))
        """)
    )

    assert resolve("data.py:f", str(tmp_path))().size == 3


def test_nothing_is_written_beside_the_file(tmp_path):
    (tmp_path / "clean.py").write_text("def f(x): return x\n")
    resolve("clean.py:f", str(tmp_path))

    assert [path.name for path in tmp_path.iterdir()] == ["clean.py"]


def test_an_edited_file_is_read_again(tmp_path):
    (tmp_path / "edited.py").write_text("VALUE = 1\n")
    assert resolve("edited.py:VALUE", str(tmp_path)) == 1
    (tmp_path / "edited.py").write_text("VALUE = 22\n")
    assert resolve("edited.py:VALUE", str(tmp_path)) == 22


def test_main_is_not_run(tmp_path):
    (tmp_path / "script.py").write_text("def f(): pass\nif __name__ == '__main__':\n    raise SystemExit\n")

    assert callable(resolve("script.py:f", str(tmp_path)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pairs.py:sofmax", "pairs.py has no 'sofmax' (did you mean 'softmax'?)" + PAIRS),
        ("pairs.py:Layers.inner", "pairs.py.Layers has no 'inner' (did you mean 'Inner'?)\n  = help: it has Inner"),
        ("pair.py:softmax", f"there is no file pair.py (did you mean 'pairs.py'?){HELP}looked for {BASE}/pair.py"),
        ("no/where.py:f", f"there is no file no/where.py: the folder {BASE}/no does not exist"),
        ("pairs.py", "pairs.py is a file: say which function or class in it is meant\n  = help: pairs.py:NAME"),
        ("softmax", "'softmax' is no reference to a function or class" + FORM),
        (":softmax", "':softmax' is no reference to a function or class" + FORM),
        ("pairs.py:", "'pairs.py:' is no reference to a function or class" + FORM),
        (
            "objects.py:Affine(3, 2)",
            "'objects.py:Affine(3, 2)' is no reference to a function or class\n  = help: write package.module:NAME or "
            "file.py:NAME; nothing is evaluated: the arguments of a constructor go to `init:`",
        ),
        ("no_such_package.layers:f", f"there is no module 'no_such_package'{HELP}{INSTALL}"),
        ("os.no_such_part:f", f"there is no module 'os.no_such_part'{HELP}{CHECK}"),
        ("os.path:joyn", "os.path has no 'joyn' (did you mean 'join'?)"),
        ("../x y:f", "'../x y' is no name of a module\n  = help: write package.module:NAME or file.py:NAME"),
    ],
)  # fmt: skip
def test_names_that_do_not_exist(text, message):
    with pytest.raises(NameLookupError) as caught:
        resolve(text, BASE)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("raises.py", "loading raises.py raised RuntimeError: no licence found ask the office (raises.py:5)"),
        ("exits.py", "loading exits.py raised SystemExit: 3 (exits.py:3)"),
        (
            "imports_missing.py",
            "loading imports_missing.py raised ModuleNotFoundError: No module named 'a_module_that_is_not_there' "
            "(imports_missing.py:1)\n  = help: pip install the package that has it, or put the file "
            "beside imports_missing.py",
        ),
    ],
)
def test_code_that_raises_while_it_is_loaded(file, message):
    with pytest.raises(LayerError) as caught:
        resolve(f"{file}:softmax", BASE)

    assert str(caught.value) == message
    assert caught.value.trace.startswith("Traceback")
    assert caught.value.__suppress_context__
    assert not any(name.startswith(f"_gradcheck_{file[:-3]}_") for name in sys.modules)


def test_files_that_are_no_python(tmp_path):
    (tmp_path / "broken.py").write_text((SAMPLES / "broken.txt").read_text())
    (tmp_path / "null.py").write_bytes(b"x = 1\0\n")
    (tmp_path / "latin.py").write_bytes("x = 'ü'\n".encode("latin-1"))

    for name, start in (
        ("broken", "loading broken.py raised SyntaxError: '(' was never closed (broken.py:1)"),
        ("null", "loading null.py raised "),
        ("latin", "loading latin.py raised "),
    ):
        with pytest.raises(LayerError) as caught:
            resolve(f"{name}.py:softmax", str(tmp_path))
        assert str(caught.value).startswith(start)


def test_a_module_that_raises_while_it_is_imported(tmp_path):
    (tmp_path / "breaks_on_import.py").write_text("import nowhere_to_be_found\n")

    with pytest.raises(LayerError) as caught:
        resolve("breaks_on_import:f", str(tmp_path))

    assert str(caught.value) == (
        "importing breaks_on_import raised ModuleNotFoundError: No module named 'nowhere_to_be_found' "
        "(breaks_on_import.py:1)\n  = help: pip install the package that has it, or put the file "
        "beside breaks_on_import.py"
    )


def test_an_attribute_that_raises_when_it_is_read(tmp_path):
    (tmp_path / "lazy.py").write_text("def __getattr__(name):\n    raise RuntimeError(name)\n")

    with pytest.raises(LayerError, match=r"^reading lazy.py:f raised RuntimeError: f \(lazy.py:2\)$"):
        resolve("lazy.py:f", str(tmp_path))


def test_what_has_the_form_of_a_reference():
    assert is_reference("a.b:c")
    assert is_reference("a/b.py:c.d")
    assert not any(map(is_reference, ["softmax", "reference/softmax", "file.yaml::case", "a.py", ":f", "a:"]))
