"""`${NAME}` in a suite: text from the environment.

`$$` stands for one `$`; any other `$` is left alone (mathematics in labels uses it). The result is always text.
A path that begins with a variable comes from the shell, so if it is relative, it is relative to the working directory;
every other path is relative to the folder of the suite file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bench.suite.located import LocatedDict, LocatedStr, LocatedTuple, Mark, Value
from bench.suite.problems import Problem, SuiteProblems, nearest

_REFERENCE = re.compile(r"\$\$|\$\{([^{}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class UnsetVariablesError(SuiteProblems):
    """Variables that a suite refers to and the environment does not have; `names` in the order of the file."""

    def __init__(self, unset: Iterable[tuple[Mark, str]], environ: Mapping[str, str]) -> None:
        found = list(unset)
        self.names = tuple(dict.fromkeys(name for _, name in found))
        super().__init__(Problem(mark, _unset_text(name, environ)) for mark, name in found)

    @property
    def reason(self) -> str:
        """Why something that needs the variables cannot run: "LITS_ROOT is not set"."""
        verb = "is" if len(self.names) == 1 else "are"
        return f"{' and '.join(self.names)} {verb} not set"


def expand(tree: Any, environ: Mapping[str, str], *, keep_unset: bool = False) -> Any:
    """Return the tree with every `${NAME}` in its texts replaced; with `keep_unset`, unknown ones stay as written.

    A variable that is set to nothing counts as not set.

    Raises:
        UnsetVariablesError: a variable is not set.
        SuiteProblems: `${` without a name or without its closing brace.
    """
    expansion = _Expansion(environ)
    result = expansion.value(tree)
    if expansion.problems:
        raise SuiteProblems(expansion.problems)
    if expansion.unset and not keep_unset:
        raise UnsetVariablesError(expansion.unset, environ)
    return result


class _Expansion:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.unset: list[tuple[Mark, str]] = []
        self.problems: list[Problem] = []

    def value(self, value: Value) -> Value:
        if isinstance(value, LocatedDict):
            items = {key: self.value(item) for key, item in value.items()}
            return LocatedDict(items, value.mark, value.key_marks, value.value_marks)
        if isinstance(value, LocatedTuple):
            return LocatedTuple(map(self.value, value), value.mark, value.marks)
        if isinstance(value, LocatedStr) and "$" in value:
            return self._text(value)
        return value

    def _text(self, text: LocatedStr) -> LocatedStr:
        expanded = _REFERENCE.sub(lambda match: self._reference(match, text.mark), text)
        folder = None if text.startswith("${") else text.folder
        return LocatedStr(expanded, text.mark, folder)

    def _reference(self, match: re.Match[str], mark: Mark) -> str:
        if match[0] == "$$":
            return "$"
        if not match[2] or not _NAME.fullmatch(match[1]):
            text = f"found '{match[0]}'; expected ${{NAME}} with a variable's name, or $${{ for the characters ${{"
            self.problems.append(Problem(mark, text))
            return match[0]
        if value := self._environ.get(match[1]):
            return value
        self.unset.append((mark, match[1]))
        return match[0]


def _unset_text(name: str, environ: Mapping[str, str]) -> str:
    guess = nearest(name, (known for known in environ if environ[known]))
    hint = f" (there is {guess}; did you mean that?)" if guess else ""
    return f"found ${{{name}}}, but the environment variable {name} is not set{hint}; set it or write the value here"
