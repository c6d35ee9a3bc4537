"""What is wrong with a suite: one problem has one place, and all problems of a suite are reported together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.errors import SuiteError
from bench.suite.located import Mark

_SHOWN_CHARACTERS = 60
_SHOWN_NAMES = 30


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint: the place, and a text that says what was found, what is expected and what to do."""

    mark: Mark
    text: str

    def __str__(self) -> str:
        return f"{self.mark}: {self.text}"


class SuiteProblems(SuiteError):
    """A suite with one or more problems; the message has one line per problem, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        unique = dict.fromkeys(problems)
        self.problems = tuple(sorted(unique, key=lambda p: (p.mark.file, p.mark.line, p.mark.column)))
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[Any, ...]:
        return SuiteProblems, (self.problems,)


def refuse(mark: Mark, text: str) -> SuiteProblems:
    """Return the error for a single problem."""
    return SuiteProblems([Problem(mark, text)])


def nearest(name: object, names: Iterable[object]) -> str | None:
    """Return the candidate that looks most like the name, or None when none does."""
    candidates = {str(candidate).lower(): str(candidate) for candidate in names}
    found = difflib.get_close_matches(str(name).lower(), candidates, n=1, cutoff=0.6)
    return candidates[found[0]] if found else None


def suggest(name: object, names: Iterable[object], what: str = "allowed") -> str:
    """Return "did you mean 'x'? allowed: a, b, c" for a name that is none of the names."""
    listed = [str(candidate) for candidate in names]
    guess = nearest(name, listed)
    shown = ", ".join(listed[:_SHOWN_NAMES]) + (", …" if len(listed) > _SHOWN_NAMES else "")
    return (f"did you mean '{guess}'? " if guess else "") + f"{what}: {shown or 'nothing'}"


def describe(value: Any) -> str:
    """Name a value the way its author sees it: the text 'a', the number 1.5, a list of 3 items."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value!r}"
    if isinstance(value, str):
        return f"the text {_shorten(repr(str(value)))}"
    if isinstance(value, Mapping):
        keys = _shorten(", ".join(f"{key}: …" for key in value))
        return f"a mapping {{{keys}}}"
    if isinstance(value, (tuple, list)):
        return f"a list of {len(value)} item{'' if len(value) == 1 else 's'}"
    return _shorten(repr(value))


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
