"""From targets to cases, and what is said of those that lead nowhere or to two things."""

import contextlib
import re
import sys
from importlib.metadata import EntryPoint

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from gradcheck.casefile import index
from gradcheck.casefile.discovery import find, listing, names
from gradcheck.casefile.project import find_project
from gradcheck.errors import CaseFileError, UsageError
from gradcheck.model import Case, InputSpec, LayerSpec

CASE = "{layer: {forward: 'm:f', backward: 'm:b'}, inputs: {x: {shape: [4, 5]}}"
FILES = {
    "pyproject.toml": "[project]\nname = 'x'\n",
    "cases/top.yaml": f"version: 1\ncases: {{alone: {CASE}}}, softmax: {CASE}}}}}\n",
    "cases/documents/one.yaml": (
        f'version: 1\ncases:\n  stale-counter: {CASE}, about: "the counter\\nstands", matrix: {{axis: [0, 1]}}}}\n'
        f"  softmax: {CASE}}}\n"
    ),
    "cases/documents/two.yml": f"version: 1\ncases: {{fixed: {CASE}}}}}\n",
    "cases/.hidden/x.yaml": "nothing\n",
    "mine.yaml": f"version: 1\ncases: {{mine: {CASE}}}}}\n",
    "layer.py": "raise SystemExit('imported')\n",
    "softmax/readme.txt": "",
    "empty/readme.txt": "",
}
ALL = ["top/alone", "top/softmax", "documents/stale-counter[axis=0]", "documents/stale-counter[axis=1]"]
ALL += ["documents/softmax", "documents/fixed"]

PACKAGED = Case("other", LayerSpec(target="m:f"), {"x": InputSpec(shape=(2,))})


def packaged():
    """A layer that is a plain function."""


@pytest.fixture(autouse=True)
def entries(monkeypatch):
    """The entry points there are; none but those that a test adds."""
    found = []
    monkeypatch.setattr(index, "entry_points", lambda group: found if group == "gradcheck.layers" else [])

    def add(name, value):
        found.append(EntryPoint(name, value, "gradcheck.layers"))

    return add


@pytest.fixture
def project(tmp_path, monkeypatch):
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(*targets, **kwargs):
    return [case.name for case in find(targets, **kwargs)]


def error(*targets):
    with pytest.raises(UsageError) as caught:
        find(targets)
    return str(caught.value)


# ---------------------------------------------------------------------------------------------------------------
# what is found


@pytest.mark.usefixtures("project")
class TestTargets:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ("alone", ["top/alone"]),
            ("top/alone", ["top/alone"]),
            ("documents/softmax", ["documents/softmax"]),
            ("stale-counter", ALL[2:4]),
            ("stale-counter[axis=1]", ALL[3:4]),
            ("documents/stale-counter[axis=0]", ALL[2:3]),
            ("top", ALL[:2]),
            ("documents", ALL[2:]),
            ("documents/", ALL[2:]),
            ("cases", ALL),
            ("cases/documents", ALL[2:]),
            ("./cases/documents/", ALL[2:]),
            (".", ["mine/mine", *ALL]),
            ("cases/top.yaml", ALL[:2]),
            ("cases/documents/two.yml", ALL[5:]),
            ("mine.yaml", ["mine/mine"]),
            ("mine.yaml::mine", ["mine/mine"]),
            ("cases/top.yaml::softmax", ["top/softmax"]),
            ("cases/documents/one.yaml::stale-counter", ALL[2:4]),
            ("cases/documents/one.yaml::stale-counter[axis=1]", ALL[3:4]),
            ("cases/documents/one.yaml::documents/softmax", ["documents/softmax"]),
            ("cases/documents/one.yaml::s*", ALL[2:5]),
            ("documents/*", ALL[2:]),
            ("stale*", ALL[2:4]),
            ("*axis=1*", ALL[3:4]),
            ("s?ftmax", ["top/softmax", "documents/softmax"]),
            ("cases/*/*.yaml", ALL[2:5]),
            ("cases/**/*.y*ml", ["documents/stale-counter[axis=0]", *ALL[3:], *ALL[:2]]),
            ("case?", ALL),
            ("layer.py:softmax", ["layer.py:softmax"]),
            ("package.module:Class.method", ["package.module:Class.method"]),
        ],
    )
    def test_one(self, target, expected):
        assert found(target) == expected

    def test_none_are_all(self):
        assert found() == ALL

    def test_each_case_comes_once(self):
        assert found("alone", "cases/top.yaml", "top/alone") == ALL[:2]

    def test_from_another_folder(self, project, monkeypatch):
        monkeypatch.chdir("/")
        assert found(root=project) == ALL
        assert found("mine.yaml", root=project) == ["mine/mine"]

    def test_from_a_folder_below(self, project, monkeypatch):
        monkeypatch.chdir(project / "softmax")
        assert found() == ALL
        assert found("../mine.yaml", "alone") == ["mine/mine", "top/alone"]
        assert str(find(["alone"])[0].place).endswith("/cases/top.yaml:2:9")

    def test_a_reference_starts_from_the_current_folder(self, project):
        (case,) = find(["layer.py:softmax"])
        assert case == Case("layer.py:softmax", LayerSpec(target="layer.py:softmax", base=str(project)))

    def test_names_and_listing(self, entries):
        entries("packaged", f"{__name__}:packaged")
        assert names() == [
            "top/alone",
            "top/softmax",
            "documents/stale-counter",
            "documents/softmax",
            "documents/fixed",
            "alone",
            "stale-counter",
            "fixed",
            "packaged",
        ]
        listed = listing()
        assert [(each.name, str(each.where), each.summary) for each in listed][2] == (
            "documents/stale-counter",
            "cases/documents/one.yaml:3:3",
            "the counter",
        )
        assert (listed[-1].name, str(listed[-1].where), listed[-1].path) == ("packaged", f"{__name__}:packaged", None)


def test_folders_of_the_project(tmp_path, monkeypatch):
    write(tmp_path, FILES)
    write(tmp_path, {"pyproject.toml": '[tool.gradcheck]\ncases = ["mine.yaml", "cases/documents", "none"]\n'})
    monkeypatch.chdir(tmp_path)
    assert found() == [
        "mine/mine",
        "one/stale-counter[axis=0]",
        "one/stale-counter[axis=1]",
        "one/softmax",
        "two/fixed",
    ]


def test_without_a_project(tmp_path, monkeypatch):
    write(tmp_path, {"cases/a.yaml": FILES["mine.yaml"]})
    monkeypatch.chdir(tmp_path)
    assert find_project(tmp_path).root == tmp_path
    assert found() == ["a/mine"]


# ---------------------------------------------------------------------------------------------------------------
# entry points


@pytest.mark.usefixtures("project")
class TestEntryPoints:
    def test_a_case(self, entries):
        entries("packaged", f"{__name__}:PACKAGED")
        (case,) = find(["packaged"])
        assert case == Case("packaged", LayerSpec(target="m:f"), {"x": InputSpec(shape=(2,))})
        case.inputs["x"].shape = (3,)
        assert PACKAGED.inputs["x"].shape == (2,)

    def test_something_else(self, entries):
        entries("packaged", f"{__name__}:packaged")
        (case,) = find(["packaged"])
        assert case == Case("packaged", LayerSpec(target=f"{__name__}:packaged", label="packaged"))

    def test_nothing_is_imported_unless_it_is_asked_for(self, entries):
        entries("packaged", "layer:f")  # layer.py ends the process
        entries("alone", "layer:g")
        assert find(["packaged"], load=False) == [Case("packaged", LayerSpec(target="layer:f", label="packaged"))]
        listing()
        names()
        assert found("alone") == ["top/alone"]  # the project's own case is nearer
        assert "layer" not in sys.modules

    def test_a_broken_package(self, entries):
        entries("packaged", "no_such_package_here:f")
        assert error("packaged") == (
            "the layer 'packaged' of an unknown package cannot be imported: "
            "ModuleNotFoundError: No module named 'no_such_package_here'"
        )

    def test_found_twice(self, entries):
        entries("packaged", "one:f")
        entries("packaged", "two:f")
        entries("packaged", "two:f")  # as an editable installation does
        assert error("packaged") == (
            "the name 'packaged' is found 2 times:\n    one:f  (an unknown package)\n    two:f  (an unknown package)\n"
            "  = help: name one of them by its reference"
        )

    def test_a_case_in_a_file_may_shadow_it_but_a_folder_does_not(self, entries):
        entries("empty", f"{__name__}:packaged")
        assert found("empty") == ["empty"]


# ---------------------------------------------------------------------------------------------------------------
# what is not found


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "softmax",
            "the name 'softmax' is found 2 times:\n    top/softmax  (cases/top.yaml:2:90)\n"
            "    documents/softmax  (cases/documents/one.yaml:4:3)\n  = help: name it with its folder, as listed above",
        ),
        ("sofmax", "there is no case, layer or file 'sofmax'\n  = help: did you mean 'softmax' or 'top/softmax'?"),
        ("zebra", "there is no case, layer or file 'zebra'\n  = help: `gradcheck list` shows what there is"),
        ("", "there is no case, layer or file ''\n  = help: `gradcheck list` shows what there is"),
        (
            "a\0\x1b[31m",
            "there is no case, layer or file 'a\\x00\\x1b[31m'\n  = help: `gradcheck list` shows what there is",
        ),
        (
            "stale-counter[axis=2]",
            "the case 'documents/stale-counter' has no variant '[axis=2]'\n  = help: there are [axis=0], [axis=1]",
        ),
        ("alone[axis=2]", "the case 'top/alone' has no variant '[axis=2]'"),
        ("min.yaml", "there is no file 'min.yaml'\n  = help: did you mean 'mine.yaml'?"),
        ("far/min.yaml", "there is no file 'far/min.yaml'"),
        ("empty", "the folder 'empty' holds no case files\n  = help: they end in .yaml or .yml"),
        ("mine.yaml::mien", "'mine.yaml' has no case 'mien'\n  = help: did you mean 'mine'?"),
        ("zebra-crossing-ahead.yaml::x", "there is no file 'zebra-crossing-ahead.yaml'"),
        ("zebra*", "nothing matches 'zebra*'\n  = help: `gradcheck list` shows what there is"),
        ("zebra*.yaml", "no case file is called 'zebra*.yaml'"),
        ("layr.py:f", "there is no file 'layr.py'\n  = help: did you mean 'layer.py'?"),
        ("layer.py", "'layer.py' is not a reference\n  = help: write layer.py:name"),
        (
            "layer.py:",
            "'' is not the name of a function or class\n  = help: write package.module:name, or file.py:name",
        ),
        ("a b:c", "'a b' is neither a module nor a .py file\n  = help: write package.module:name, or file.py:name"),
    ],
)
def test_unknown(target, message):
    assert error(target) == message


def test_nothing_at_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert error() == (
        "there are no case files (looked in 'cases')\n"
        "  = help: name a layer (`gradcheck list` shows them), or write a case file"
    )


def test_the_same_name_in_two_files(project):
    write(project, {"cases/documents/three.yaml": FILES["cases/documents/two.yml"]})
    message = (
        "two cases have the name 'documents/fixed': cases/documents/three.yaml:2:9 and cases/documents/two.yml:2:9\n"
        "  = help: rename one of them, or run one alone as file.yaml::case"
    )
    assert error() == message
    assert error("fixed") == (
        "the name 'fixed' is found 2 times:\n    documents/fixed  (cases/documents/three.yaml:2:9)\n"
        "    documents/fixed  (cases/documents/two.yml:2:9)\n  = help: name it as file.yaml::case"
    )
    assert found("cases/documents/three.yaml::fixed") == ["documents/fixed"]


def test_faulty_files(project):
    write(project, {"cases/bad.yaml": "version: 1\ncases: {a: {layr: x}}\n", "cases/worse.yaml": "a: b: c\n"})
    with pytest.raises(CaseFileError) as caught:
        find()
    assert [each.file for each in caught.value.complaints] == ["cases/bad.yaml", "cases/worse.yaml"]
    # a fault elsewhere is no reason not to run a case
    assert found("alone") == ["top/alone"]
    assert "documents/fixed" in names()
    assert error("zebra").endswith("  = note: 1 case file cannot be read: cases/worse.yaml")
    with pytest.raises(CaseFileError, match="not valid YAML"):
        listing()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.gradcheck", "pyproject.toml:1:16: error: not valid TOML: "),
        ('[tool.gradcheck]\ncases = "cases"', "[tool.gradcheck] cases takes a list of folders, not the text 'cases'"),
        ("[tool.gradcheck]\ncases = [1]", "[tool.gradcheck] cases takes a list of folders, not a list"),
        ("[tool.gradcheck]\ncase = []", "pyproject.toml:2:1: error: unknown key 'case' in [tool.gradcheck]\n  |\n"),
        ("tool = {gradcheck = 3}", "[tool.gradcheck] is not a table"),
    ],
)
def test_a_faulty_project_file(project, text, message):
    write(project, {"pyproject.toml": text})
    assert message in error("alone")


def test_links_are_followed_once(project):
    (project / "cases" / "loop").symlink_to(project / "cases")
    (project / "cases" / "linked.yaml").symlink_to(project / "mine.yaml")
    assert found() == ["linked/mine", *ALL]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=20) | st.text(st.sampled_from("as*?[]=:./\\-,\0\n"), max_size=20))
@example("*a" * 30)
@example("*" * 60 + "::")
@example("a" * 5000)
@example("/dev/stdin::x")
@example("~")
@example("\0/?")
@example("\0.yaml::x")
@example("a\0.py:f")
def test_any_target_at_all(project, target):
    assume(not re.match(r"[/.\\]*/", target))  # not the whole disk of whoever runs the tests
    with contextlib.suppress(UsageError):
        assert all(isinstance(case, Case) for case in find([target]))
