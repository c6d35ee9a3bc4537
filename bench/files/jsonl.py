"""Append-only JSON lines that survive a writer's death in the middle of a line."""

from __future__ import annotations

import errno
import json
import os
import warnings
from pathlib import Path
from typing import Any

from bench.files.json_files import parse_json
from bench.files.storage import saving


def append_jsonl(path: Path, record: dict[str, Any]) -> None:
    """Append one record as one line in a single write, so that lines of several processes never mix.

    What a killed writer left of its line is closed first; readers drop it.

    Raises:
        StorageError: the line could not be written whole, as on a full disk.
    """
    line = (json.dumps(record, sort_keys=True, ensure_ascii=False) + "\n").encode()
    with saving(path, len(line)):
        _append(path, line)


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if _is_unterminated(descriptor):
            line = b"\n" + line
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """All complete records of a file; beginnings of lines, which killed writers leave, are dropped with a warning."""
    if not path.is_file():
        return []
    *lines, tail = path.read_bytes().split(b"\n")
    records = [_record(line) for line in lines if line]
    dropped = records.count(None) + bool(tail)
    if dropped:
        warnings.warn(f"{path}: dropped {dropped} incomplete line(s) of killed writers", stacklevel=2)
    return [record for record in records if record is not None]


def _record(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None when it is not whole, as no proper beginning of a JSON object is JSON itself."""
    try:
        record: dict[str, Any] = parse_json(line)
    except ValueError:
        return None
    return record


def _is_unterminated(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
