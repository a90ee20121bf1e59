"""The border to the user's code: what it raises becomes one line with its place, and a traceback to look at."""

import numpy as np
import pytest

from gradcheck.errors import BindingError, LayerError
from gradcheck.layers.build import wrap
from gradcheck.layers.calling import call, locate, name_of

from .samples import objects, pairs
from .tools import draw, pull


def raised(function, role="forward"):
    with pytest.raises(LayerError) as caught:
        call(function, role=role)
    assert caught.value.__suppress_context__
    return caught.value


def code(text):
    space = {"np": np}
    exec(compile(text, "/somewhere/mine.py", "exec"), space)
    return space["f"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f():\n    raise ValueError('no')", "forward raised ValueError: no (mine.py:2)"),
        ("def f():\n    raise ValueError", "forward raised ValueError (mine.py:2)"),
        ("def f():\n    raise KeyError('W')", "forward raised KeyError: 'W' (mine.py:2)"),
        ("def f():\n    raise ValueError('a\\n  b\\tc')", "forward raised ValueError: a b c (mine.py:2)"),
        ("import sys\ndef f():\n    sys.exit('bye')", "forward raised SystemExit: bye (mine.py:3)"),
        (
            "def f():\n    return g()\ndef g():\n    return 1 / 0",
            "forward raised ZeroDivisionError: division by zero (mine.py:4)",
        ),
        ("def f():\n    return f()", "forward raised RecursionError: maximum recursion depth exceeded (mine.py:2)"),
        ("def f():\n    raise MemoryError", "forward raised MemoryError (mine.py:2)"),
        (
            "def f():\n    np.ones(3) + np.ones(4)",
            "forward raised ValueError: operands could not be broadcast together with shapes (3,) (4,) (mine.py:2)",
        ),
        (
            "def f():\n    np.linalg.inv(np.zeros((2, 2)))",
            "forward raised LinAlgError: Singular matrix (mine.py:2)",
        ),
        (
            "def f():\n    np.apply_along_axis(lambda v: v[9], 0, np.ones(3))",
            "forward raised IndexError: index 9 is out of bounds for axis 0 with size 3 (mine.py:2)",
        ),
        (
            "class E(Exception):\n    def __str__(self):\n        raise RuntimeError\ndef f():\n    raise E",
            "forward raised E (mine.py:5)",
        ),
        ("def f():\n    compile('1 +', 'inner.py', 'exec')", "forward raised SyntaxError: invalid syntax (inner.py:1)"),
    ],
)  # fmt: skip
def test_one_line_with_the_place_of_the_innermost_own_frame(text, message):
    error = raised(code(text))

    # Python 3.11 says more of recursion than others do
    assert str(error).replace(" while calling a Python object", "") == message
    assert error.trace.startswith("Traceback (most recent call last):")


def test_a_long_message_is_cut():
    def f():
        raise ValueError("x" * 1000)

    assert len(str(raised(f))) < 400
    assert "xxx... (test_calling.py:" in str(raised(f))


def test_the_interrupt_of_a_person_passes():
    def f():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(f, role="forward")


def test_errors_of_a_check_within_the_user_s_code_pass():
    def f():
        raise BindingError("said already")

    with pytest.raises(BindingError, match=r"^said already$"):
        call(f, role="forward")


def test_wrong_number_of_arguments():
    assert str(raised(lambda x: x)) == (
        "forward raised TypeError: test_wrong_number_of_arguments.<locals>.<lambda>() missing 1 required positional "
        "argument: 'x'"
    )


def test_forward_and_backward_are_told_apart():
    def fails(*_):
        raise ValueError("no")

    with pytest.raises(LayerError, match=r"^forward raised ValueError: no \(test_calling.py:\d+\)$"):
        pull(wrap(fails, lambda g: g, inputs=["x"]), {"x": draw(2)})
    with pytest.raises(LayerError, match=r"^backward raised ValueError: no \(test_calling.py:\d+\)$"):
        pull(wrap(lambda x: x, fails, bind={"backward._": "upstream"}), {"x": draw(2)})


def test_names_on_screen():
    assert name_of(pairs.softmax) == "softmax"
    assert name_of(objects.Tanh.forward) == "Tanh.forward"
    assert name_of(objects.Tanh) == name_of(objects.Tanh()) == "Tanh"
    assert name_of(np.exp) == "exp"
    assert name_of(lambda: 0) == "<lambda>"

    def inner():
        pass

    assert name_of(inner) == "inner"


def test_places():
    def place(thing):
        found = locate(thing)
        return None if found is None else (found.file.rpartition("/")[2], found.line)

    assert place(pairs.softmax) == ("pairs.py", 6)
    assert place(objects.Tanh().backward) == ("objects.py", 13)
    assert place(objects.Tanh) == ("objects.py", 6)
    assert place(np.exp) is None
    assert place(int) is None
    assert place(code("def f(): pass")) == ("mine.py", 1)
    assert place(eval("lambda: 0")) is None
