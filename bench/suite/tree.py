"""YAML text to located values: built from the parser's events, so that nothing is expanded, constructed or trusted.

No recursion (depth is limited), no tags, no merge keys, no second document, no duplicate keys. Anchors and aliases
name whole values; what an alias stands for is counted, so that a few lines cannot expand into millions of nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bench.suite import syntax
from bench.suite.located import LocatedDict, LocatedStr, LocatedTuple, Mark, Value
from bench.suite.problems import Problem, SuiteProblems, describe, refuse, suggest
from bench.suite.scalars import AmbiguousScalarError, resolve
from bench.suite.source import Source, check_characters, read_source

MAX_NODES = 200_000
MAX_DEPTH = 60

_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> LocatedDict:
    """Read a suite file into a located mapping.

    Raises:
        SuiteProblems: with the place of everything that is not plain, unambiguous YAML.
    """
    source = read_source(path)
    tree = parse(source)
    if not isinstance(tree, LocatedDict):
        mark = tree.mark if isinstance(tree, (LocatedTuple, LocatedStr)) else source.mark(0, 0)
        raise refuse(mark, f"found {describe(tree)}; expected a mapping of keys such as title:, dataset: and methods:")
    return tree


def parse(source: Source) -> Value:
    """Turn YAML text into a located value."""
    check_characters(source)
    builder = _Builder(source)
    for event in _events(source):
        builder.take(event)
    return builder.result()


def _events(source: Source) -> Iterator[Any]:
    try:
        yield from yaml.parse(source.text, Loader=_FAST)
    except yaml.YAMLError as error:
        raise syntax.explain(_second_opinion(source, error), source) from None


def _second_opinion(source: Source, error: yaml.YAMLError) -> yaml.YAMLError:
    """Return the pure Python parser's complaint, whose marks are nearer to the cause than those of the C parser."""
    try:
        for _ in yaml.parse(source.text, Loader=yaml.SafeLoader):
            pass
    except yaml.YAMLError as other:
        return other
    return error


class _Open:
    """A mapping or list whose end has not been read yet."""

    def __init__(self, mark: Mark, anchor: str | None, *, is_mapping: bool) -> None:
        self.mark, self.anchor, self.is_mapping = mark, anchor, is_mapping
        self.nodes = 1
        self.values: list[Value] = []
        self.marks: list[Mark] = []
        self.first: dict[Any, Mark] = {}  # where each key was seen first

    @property
    def wants_key(self) -> bool:
        return self.is_mapping and len(self.values) % 2 == 0

    def close(self) -> LocatedDict | LocatedTuple:
        if not self.is_mapping:
            return LocatedTuple(self.values, self.mark, self.marks)
        keys = self.values[::2]
        return LocatedDict(
            dict(zip(keys, self.values[1::2], strict=True)),
            self.mark,
            dict(zip(keys, self.marks[::2], strict=True)),
            dict(zip(keys, self.marks[1::2], strict=True)),
        )


class _Builder:
    """Puts events together; complaints that leave the structure intact are collected, the others raise at once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._problems: list[Problem] = []
        self._nodes = 0
        self._documents = 0
        self._root: Value = None

    def result(self) -> Value:
        if not self._documents:
            text = "found nothing but blanks and comments; expected keys such as title:, dataset: and methods:"
            raise refuse(self._source.mark(0, 0), text)
        if self._problems:
            raise SuiteProblems(self._problems)
        return self._root

    def take(self, event: Any) -> None:
        mark = self._source.mark(event.start_mark.line, event.start_mark.column)
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise refuse(mark, "found a second document; expected one suite per file: remove the line '---'")
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, mark)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._begin(event, mark)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = self._open.pop()
            self._add(done.close(), done.mark, done.nodes, done.anchor)
        elif isinstance(event, yaml.ScalarEvent):
            self._refuse_tag(event, mark)
            self._count(1, mark)
            self._add(self._scalar(event, mark), mark, 1, event.anchor)

    def _begin(self, event: Any, mark: Mark) -> None:
        self._refuse_tag(event, mark)
        if len(self._open) >= MAX_DEPTH:
            raise refuse(mark, f"found values nested more than {MAX_DEPTH} deep; no suite needs that")
        self._count(1, mark)
        self._open.append(_Open(mark, event.anchor, is_mapping=isinstance(event, yaml.MappingStartEvent)))

    def _scalar(self, event: Any, mark: Mark) -> Value:
        text = event.value
        if event.style in (None, ""):  # no quotes, no block
            try:
                value = resolve(text)
            except AmbiguousScalarError as error:
                self._problems.append(Problem(mark, str(error)))
                value = text
            if not isinstance(value, str):
                return value
        return LocatedStr(text, mark, self._source.folder)

    def _alias(self, anchor: Any, mark: Mark) -> None:
        if any(anchor == frame.anchor for frame in self._open):
            raise refuse(mark, f"found *{anchor} inside the value that &{anchor} names; a value cannot contain itself")
        if anchor not in self._anchors:
            raise refuse(
                mark, f"found *{anchor}, but no &{anchor} before it; {suggest(anchor, self._anchors, 'anchors')}"
            )
        value, nodes = self._anchors[anchor]
        self._count(nodes, mark)
        self._add(value, mark, nodes, None)

    def _refuse_tag(self, event: Any, mark: Mark) -> None:
        if event.tag is not None:
            text = f"found the tag {event.tag}; the suite language has no tags: remove it, and quote what must be text"
            raise refuse(mark, text)

    def _add(self, value: Value, mark: Mark, nodes: int, anchor: str | None) -> None:
        if anchor is not None:
            if anchor in self._anchors:
                raise refuse(mark, f"found a second &{anchor}; give every anchor its own name")
            self._anchors[anchor] = (value, nodes)
        if not self._open:
            self._root = value
            return
        frame = self._open[-1]
        if frame.wants_key:
            self._check_key(frame, value, mark)
        frame.values.append(value)
        frame.marks.append(mark)
        frame.nodes += nodes

    def _count(self, nodes: int, mark: Mark) -> None:
        """Count nodes as if every alias were written out."""
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            text = f"found more than {MAX_NODES} values once every alias is written out; no suite needs that"
            raise refuse(mark, f"{text}: share less through aliases")

    def _check_key(self, frame: _Open, key: Value, mark: Mark) -> None:
        if isinstance(key, bool) or not isinstance(key, (str, int)):
            raise refuse(mark, f"found {describe(key)} as a key; expected a name (quote it if it is meant as text)")
        first = frame.first.setdefault(key, mark)
        if first is not mark:
            text = f"found the key '{key}' twice, here and at {first}; keep one of them"
            self._problems.append(Problem(mark, text))
