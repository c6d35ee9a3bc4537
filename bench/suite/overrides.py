"""`--set training.steps=50`: single values from the command line, over everything that the files say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.suite.located import LocatedDict, Mark, Value
from bench.suite.paths import put
from bench.suite.problems import refuse
from bench.suite.source import Source
from bench.suite.tree import parse

_EXAMPLE = "write it like --set training.steps=50"


@dataclass(frozen=True, slots=True)
class Override:
    """One option: where it reaches, its value, and its name for messages."""

    steps: tuple[str, ...]
    value: Value
    mark: Mark


def parse_override(text: str) -> Override:
    """Parse `path=value`; the value is YAML (`50`, `[1, 2]`, `{name: dice}`), relative paths start where the shell is.

    Raises:
        SuiteProblems: no path, no value, a key that only a file can have, or a value that is not YAML.
    """
    mark = Mark(f"--set {text}")
    path, equals, value = text.partition("=")
    steps = tuple(path.strip().split("."))
    if not equals or not all(steps):
        raise refuse(mark, f"expected a dotted path, '=' and a value; {_EXAMPLE}")
    if steps[0] in ("profiles", "extends"):
        raise refuse(mark, f"'{steps[0]}' is settled by the file and --profile; set the key that the profile sets")
    if not value.strip():
        raise refuse(mark, f"found no value; {_EXAMPLE}, or null to set nothing")
    return Override(steps, parse(Source(value, str(mark), None, inline=True)), mark)


def apply(tree: LocatedDict, overrides: Iterable[Override]) -> LocatedDict:
    """Return the tree with all overrides in place; whether the keys exist is for the validation to say.

    Raises:
        SuiteProblems: a path leads through a value that has no keys, or to a method or item that does not exist.
    """
    result: Value = tree
    for override in overrides:
        result = put(result, override.steps, override.value, key_mark=override.mark, value_mark=override.mark)
    assert isinstance(result, LocatedDict)
    return result
