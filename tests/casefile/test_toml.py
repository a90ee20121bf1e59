from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.casefile.toml import find

TEXT = r"""# [tool.gradcheck]
[a.b] # a comment with = in it
x = QQQ [tool.gradcheck]
seed = 3
QQQ
y = '\'
z = '''[tool.gradcheck]
seed = 4
'''
[[t]]
list = [1, "]", {q = 1}]
[ tool . "gradcheck" ]
seed = 5
"mode" = 'full' # why
cases = [
  "a", # ]
  "b",
]
[inline]
tool.gradcheck = {seed = "6", "a b".c = [1]}
""".replace("QQQ", '"' * 3)


def where(*path: str) -> tuple[str, str] | None:
    item = find(TEXT, path)
    return item and (TEXT[slice(*item.key)], TEXT[slice(*item.value)])


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("tool", "gradcheck"), '"gradcheck"', ""),
        (("tool", "gradcheck", "seed"), "seed", "5"),
        (("tool", "gradcheck", "mode"), '"mode"', "'full'"),
        (("tool", "gradcheck", "cases"), "cases", '[\n  "a", # ]\n  "b",\n]'),
        (("t", "list", "", "q"), "q", "1"),
        (("inline", "tool", "gradcheck", "seed"), "seed", '"6"'),
        (("inline", "tool", "gradcheck", "a b", "c"), "c", "[1]"),
        (("a", "b", "y"), "y", r"'\'"),
    ],
)
def test_places(path: tuple[str, ...], key: str, value: str) -> None:
    assert where(*path) == (key, value)


def test_what_stands_in_a_text_or_a_comment_is_no_key() -> None:
    assert where("tool", "gradcheck", "x") is None
    assert where("a", "b", "seed") is None


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with 3.11")
def test_the_text_is_toml() -> None:
    import tomllib

    assert tomllib.loads(TEXT)["tool"]["gradcheck"]["seed"] == 5


@given(st.text(max_size=40) | st.text(st.sampled_from("[]{}=.,\"'#\\ \n\tab"), max_size=60))
def test_any_text_ends(text: str) -> None:
    find(text, ("tool", "gradcheck", "seed"))
