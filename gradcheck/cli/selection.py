"""Which of the cases found are run: ``-k EXPRESSION`` and ``--tag``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from gradcheck.errors import UsageError
from gradcheck.model import Case

Test: TypeAlias = Callable[[Case], bool]

TOKEN = re.compile(r"\s*([()]|[^\s()]+)")
DEEPEST = 100


def select(cases: Iterable[Case], expression: str = "", tags: Sequence[str] = ()) -> list[Case]:
    """Return the cases that an expression and any of the tags (if given) are true of.

    Raises
    ------
    UsageError
        If the expression cannot be read.
    """
    matches = parse(expression) if expression.strip() else (lambda _case: True)
    return [case for case in cases if matches(case) and (not tags or any(tag in case.tags for tag in tags))]


def parse(expression: str) -> Test:
    """Return the test that an expression stands for.

    Words are parts of a case's name, or of one of its tags, in any spelling of capitals; they are joined by ``and``,
    ``or``, ``not`` and brackets, as in pytest's ``-k``.

    Raises
    ------
    UsageError
        If it cannot be read.
    """
    return _Parser(expression).read()


class _Parser:
    """Recursive descent.

    either = both, or or'ed boths; both = one, or and'ed ones; one = a word, "not" one, or an either in brackets.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = TOKEN.findall(expression)
        self.position = 0
        self.depth = 0

    def read(self) -> Test:
        test = self._either()
        if self._next is not None:
            self._refuse(f"unexpected {self._next!r}")
        return test

    @property
    def _next(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _take(self, token: str) -> bool:
        found = self._next == token
        self.position += found
        return found

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda case: any(test(case) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda case: all(test(case) for test in tests)

    def _one(self) -> Test:
        self.depth += 1
        if self.depth > DEEPEST:
            self._refuse("it is too deeply nested")
        try:
            return self._unit()
        finally:
            self.depth -= 1

    def _unit(self) -> Test:
        if self._take("not"):
            inner = self._one()
            return lambda case: not inner(case)
        if self._take("("):
            inside = self._either()
            if not self._take(")"):
                self._refuse("a bracket is not closed")
            return inside
        token = self._next
        if token is None:
            self._refuse("a word is missing at its end")
        if token in ("and", "or", ")"):
            self._refuse(f"a word is missing before {token!r}")
        self.position += 1
        word = str(token).lower()
        return lambda case: any(word in name.lower() for name in (case.name, *case.tags))

    def _refuse(self, why: str) -> None:
        raise UsageError(
            f"-k {self.expression!r} cannot be read: {why}", "join parts of names with and, or, not and brackets"
        )
