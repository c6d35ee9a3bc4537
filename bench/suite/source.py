"""The text a suite is read from, and how places in it are named."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from bench.suite.located import Mark
from bench.suite.problems import refuse, suggest

# Characters that YAML forbids in a stream (control characters, lone surrogates, two non-characters).
_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Source:
    """YAML text with a name for its places; `inline` text (an option's value) is one place as a whole."""

    text: str
    name: str
    folder: Path | None
    inline: bool = False

    def mark(self, line: int, column: int) -> Mark:
        """Return a place from counts that start at 0."""
        return Mark(self.name) if self.inline else Mark(self.name, line + 1, column + 1)

    def mark_at(self, offset: int) -> Mark:
        """Return the place of the character at an offset."""
        before = self.text[:offset]
        return self.mark(before.count("\n"), offset - (before.rfind("\n") + 1))


def read_source(path: Path) -> Source:
    """Read a suite file.

    Raises:
        SuiteProblems: the file is missing, is not a file, is not UTF-8, or holds characters that YAML forbids.
    """
    name = os.fspath(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise refuse(Mark(name), f"found no such file; {neighbours(path)}") from None
    except OSError as error:
        raise refuse(Mark(name), f"found a file that cannot be read ({error.strerror}); give a YAML file") from None
    source = Source(_decode(data, name), name, path.parent.absolute())
    check_characters(source)
    return source


def check_characters(source: Source) -> None:
    """Refuse characters that no YAML reader accepts, with their place."""
    if found := _FORBIDDEN.search(source.text):
        text = f"found the character U+{ord(found[0]):04X}, which YAML does not allow; remove it"
        raise refuse(source.mark_at(found.start()), text)


def _decode(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse(Mark(name, 1, 1), "found UTF-16 text; expected UTF-8: save the file with that encoding")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[start : error.start].decode("utf-8")) + 1
        text = f"found the byte 0x{data[error.start]:02X} at byte offset {error.start}, which is not UTF-8"
        raise refuse(Mark(name, line, column), f"{text}; save the file as UTF-8") from None


def neighbours(path: Path) -> str:
    """Name the suites that lie where the missing one was looked for."""
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either; give the path of a suite"
    suites = sorted(p.name for p in path.parent.iterdir() if p.suffix in {".yaml", ".yml"})
    return suggest(path.name, suites, f"suites in {path.parent}")
