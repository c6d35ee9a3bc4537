"""`{dotted.path}` in the id and label of a matrix: replaced by what the method has there; `{{` and `}}` are braces."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from bench.suite.located import LocatedDict, LocatedStr
from bench.suite.paths import get
from bench.suite.problems import Problem, SuiteProblems, describe, suggest

# `${NAME}` is left for the environment; a doubled brace is a brace; then a placeholder.
_PARTS = re.compile(r"\$\{[^{}]*\}|\{\{|\}\}|\{([^{}]*)\}")


def fill(template: LocatedStr, method: LocatedDict, varied: Sequence[str]) -> LocatedStr:
    """Return the text with every placeholder replaced.

    Raises:
        SuiteProblems: a placeholder for which the method has no value, or one that cannot be written in a line.
    """
    problems: list[Problem] = []

    def replace(match: re.Match[str]) -> str:
        if match[1] is None:
            return {"{{": "{", "}}": "}"}.get(match[0], match[0])
        try:
            value = get(method, match[1])
        except KeyError:
            hint = suggest(match[1], varied, "varied here")
            text = (
                f"found the placeholder {{{match[1]}}}, which the method does not have; {hint}; write {{{{ for a brace"
            )
            problems.append(Problem(template.mark, text))
            return match[0]
        if isinstance(value, (LocatedDict, tuple)):
            text = f"found the placeholder {{{match[1]}}}, which is {describe(value)}; name a single value in it"
            problems.append(Problem(template.mark, text))
            return match[0]
        return str(value) if isinstance(value, str) else json.dumps(value)

    filled = _PARTS.sub(replace, template)
    if problems:
        raise SuiteProblems(problems)
    return template.with_text(filled)
