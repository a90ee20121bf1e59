from __future__ import annotations

import json
from pathlib import Path

from gradcheck.runner.stack import Stack, split_stack

HERE = Path(json.__file__).parent
OWN = str(Path(split_stack.__code__.co_filename).parents[1] / "trial" / "calls.py")
FRAMES = f'''  File "{HERE}/decoder.py", line 7 in decode
  File "/home/me/mine.py", line 12 in helper
  File "/home/me/mine.py", line 40 in softmax
  File "{OWN}", line 3 in forward
  File "<string>", line 1 in <module>
'''
CRASH = f"""printed
Fatal Python error: Segmentation fault

Stack (most recent call first):
{FRAMES}
Current thread's C stack trace (most recent call first):
  Binary file "/usr/lib/libpython.so", at _PyEval+0x12 [0x7f12345678]

Extension modules: numpy._core (total: 1)
"""


def test_a_crash() -> None:
    output, stack = split_stack(CRASH)

    assert output == "printed\n"
    assert stack.place(innermost=True) == "helper (mine.py:12)"
    assert stack.place(innermost=False) == "softmax (mine.py)"
    assert stack.text == "Fatal Python error: Segmentation fault\n" + FRAMES.rstrip("\n")


def test_a_question() -> None:
    output, stack = split_stack(f"printed\nStack (most recent call first):\n{FRAMES}")

    assert output == "printed\n"
    assert stack.steady_text() == (
        'Stack (most recent call first):\n  File "/home/me/mine.py" in softmax\n'
        f'  File "{OWN}", line 3 in forward\n  File "<string>", line 1 in <module>'
    )


def test_the_last_one_counts() -> None:
    output, stack = split_stack(f"Stack (most recent call first):\n{FRAMES}more\n{CRASH}")

    assert output.endswith("more\nprinted\n")
    assert stack.text.startswith("Fatal")


def test_none_of_the_user() -> None:
    _, stack = split_stack(f'Stack (most recent call first):\n  File "{OWN}", line 3 in forward\n')

    assert stack.place(innermost=True) == ""
    assert stack.steady_text() == ""


def test_no_stack_at_all() -> None:
    assert split_stack("nothing\n") == ("nothing\n", Stack())
    assert Stack().place(innermost=True) == ""


def test_a_line_that_is_not_known() -> None:
    _, stack = split_stack('Stack (most recent call first):\n  File "/home/me/mine.py", line ??? in f\n')

    assert stack.place(innermost=True) == "f (mine.py)"
