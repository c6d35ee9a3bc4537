"""Plain words for the parser's complaints about text that is not YAML."""

from __future__ import annotations

import yaml

from bench.suite.problems import SuiteProblems, refuse
from bench.suite.source import Source

# What the parser says -> what it usually means. The first fragment found in its message counts.
_MEANINGS = (
    (
        "mapping values are not allowed",
        "found a second ': ' or a deeper indentation here; quote text that contains ': '",
    ),
    (
        "could not find expected ':'",
        "expected 'key: value' here; add the colon, or indent the line as part of the value",
    ),
    ("found undefined tag handle", "found a tag; the suite language has none: write the value without it"),
    ("unknown escape character", "found an unknown escape in double quotes; use single quotes or write \\\\ for \\"),
    ("found unexpected end of stream", "found a quote that is never closed; add the closing quote"),
    ("found unexpected document separator", "found a quote that is never closed; add the closing quote"),
    ("expected <block end>", "found a line that does not fit the lines above; indent keys of one mapping alike"),
    ("<document start>", "found a line that does not belong to the lines above; write all keys as 'key: value'"),
    ("did not find expected key", "found a line that does not fit the lines above; indent keys of one mapping alike"),
)


def explain(error: yaml.YAMLError, source: Source) -> SuiteProblems:
    """Turn a parser error into a problem with its place."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return refuse(source.mark(0, 0), f"found text that is not YAML ({error}); see https://yaml.org/spec/1.2.2")
    line, column = error.problem_mark.line, error.problem_mark.column
    if "could not find expected ':'" in str(error.problem) and error.context_mark is not None:
        line, column = error.context_mark.line, error.context_mark.column  # where the key begins
    if _is_tab(source, line, column):
        return refuse(source.mark(line, column), "found a tab as indentation; YAML wants spaces: replace it by spaces")
    if error.context_mark is not None and "parsing a flow" in (error.context or "") and "',' or" in str(error.problem):
        bracket = "[" if "sequence" in str(error.context) else "{"
        place = source.mark(error.context_mark.line, error.context_mark.column)
        text = (
            f"found a '{bracket}' whose items do not end (the parser stopped at line {line + 1}, column {column + 1})"
        )
        return refuse(place, f"{text}; close the bracket, or put a ',' between the items")
    for fragment, meaning in _MEANINGS:
        if fragment in str(error.problem):
            return refuse(source.mark(line, column), meaning)
    if "cannot start any token" in str(error.problem):
        text = f"found {_character(source, line, column)!r}, which cannot start a value; quote the text"
        return refuse(source.mark(line, column), text)
    return refuse(
        source.mark(line, column), f"found text that is not YAML ({error.problem}); check quotes and indentation"
    )


def _lines(source: Source) -> list[str]:
    return source.text.split("\n")


def _character(source: Source, line: int, column: int) -> str:
    lines = _lines(source)
    return lines[line][column : column + 1] if line < len(lines) else ""


def _is_tab(source: Source, line: int, column: int) -> bool:
    lines = _lines(source)
    if line >= len(lines):
        return False
    text = lines[line]
    indentation = text[: len(text) - len(text.lstrip())]
    return _character(source, line, column) == "\t" or "\t" in indentation
