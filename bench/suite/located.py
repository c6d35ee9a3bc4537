"""Values that remember where they were written, so that every later complaint can name file, line and column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Value: TypeAlias = "LocatedDict | LocatedTuple | LocatedStr | int | float | bool | None"
"""What a suite consists of. Numbers, true/false and null carry no mark of their own: their container knows it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, counted from 1; line 0 stands for a source without lines (a command-line option)."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


NOWHERE = Mark("<value>")


class LocatedStr(str):
    """Text with its place and the folder that relative paths in it start from (None: the working directory)."""

    mark: Mark
    folder: Path | None

    def __new__(cls, text: str = "", mark: Mark = NOWHERE, folder: Path | None = None) -> LocatedStr:
        self = super().__new__(cls, text)
        self.mark = mark
        self.folder = folder
        return self

    def with_text(self, text: str) -> LocatedStr:
        """Return other text at the same place."""
        return LocatedStr(text, self.mark, self.folder)


class LocatedTuple(tuple[Any, ...]):
    """A YAML list; `marks` are the places of its items."""

    mark: Mark
    marks: tuple[Mark, ...]

    def __new__(cls, items: Iterable[Value] = (), mark: Mark = NOWHERE, marks: Iterable[Mark] = ()) -> LocatedTuple:
        self = super().__new__(cls, items)
        self.mark = mark
        self.marks = tuple(marks) or (mark,) * len(self)
        return self

    def with_item(self, index: int, value: Value, mark: Mark) -> LocatedTuple:
        """Return the list with one item replaced."""
        items, marks = list(self), list(self.marks)
        items[index], marks[index] = value, mark
        return LocatedTuple(items, self.mark, marks)

    def __reduce__(self) -> tuple[Any, ...]:
        return LocatedTuple, (tuple(self), self.mark, self.marks)


class LocatedDict(dict[Any, Any]):
    """A YAML mapping; never changed after it is built: the `with_…` methods return a new one."""

    mark: Mark
    key_marks: dict[Any, Mark]
    value_marks: dict[Any, Mark]

    def __init__(
        self,
        items: Mapping[Any, Value] | None = None,
        mark: Mark = NOWHERE,
        key_marks: Mapping[Any, Mark] | None = None,
        value_marks: Mapping[Any, Mark] | None = None,
    ) -> None:
        super().__init__(items or {})
        self.mark = mark
        self.key_marks = dict(key_marks) if key_marks is not None else dict.fromkeys(self, mark)
        self.value_marks = dict(value_marks) if value_marks is not None else dict.fromkeys(self, mark)

    def with_item(self, key: Any, value: Value, key_mark: Mark, value_mark: Mark) -> LocatedDict:
        """Return the mapping with one key set; an existing key keeps its position in the order."""
        new = LocatedDict(self, self.mark, self.key_marks, self.value_marks)
        new[key] = value
        new.key_marks[key] = key_mark
        new.value_marks[key] = value_mark
        return new

    def without(self, *keys: Any) -> LocatedDict:
        """Return the mapping with some keys left out."""
        kept = {key: value for key, value in self.items() if key not in keys}
        return LocatedDict(kept, self.mark, self.key_marks, self.value_marks)

    def __reduce__(self) -> tuple[Any, ...]:
        return LocatedDict, (dict(self), self.mark, self.key_marks, self.value_marks)


def mark_of(container: LocatedDict | LocatedTuple, key: Any) -> Mark:
    """Return the place of the value under a key (mapping) or index (list)."""
    return container.value_marks[key] if isinstance(container, LocatedDict) else container.marks[key]


def plain(value: Any) -> Any:
    """Return the value as ordinary dict, list and str, ready for `json.dumps` or `yaml.safe_dump`."""
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
