"""Named arrays and one JSON description in a folder: opened by mapping, so that opening reads nothing.

Nothing here knows what the arrays mean. A folder may come from a stranger: what is opened is plain numbers in plain
files of this very folder, with the types and shapes that the description promises, and never anything that executes.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.cache.disk import check_space
from bench.errors import DataError
from bench.files.atomic import write_json
from bench.files.json_files import read_json
from bench.files.storage import saving

DESCRIPTION = "arrays.json"
SCHEMA_VERSION = 1

NAME = re.compile(r"[a-z_][a-z0-9_]*")
KINDS = "biuf"
"""Types that are stored: booleans, whole numbers, floating-point numbers."""


def write_arrays(folder: Path, arrays: Mapping[str, npt.NDArray[Any]], description: Mapping[str, Any]) -> None:
    """Write arrays as `<name>.npy` and a JSON-able description into a folder, which is made if need be.

    Equal arrays and descriptions give equal bytes. Sealing and publishing the folder is the caller's.

    Raises:
        ValueError: a name other than lower-case letters, digits and `_`, or an array of anything but numbers.
        StorageError: the disk cannot be written to, or has no room, which is asked before anything is written.
    """
    for name, array in arrays.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an array; expected lower-case letters, digits and _")
        if array.dtype.kind not in KINDS:
            raise ValueError(f"array {name} of {array.dtype}; expected booleans, integers or floating-point numbers")
    with saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
    check_space(folder, sum(array.nbytes for array in arrays.values()))
    for name, array in arrays.items():
        with saving(folder / f"{name}.npy", array.nbytes):  # somebody else may take the room meanwhile
            _write(folder / f"{name}.npy", array)
    stored = {name: {"dtype": array.dtype.str, "shape": array.shape} for name, array in arrays.items()}
    content = {"schema_version": SCHEMA_VERSION, "arrays": stored, "description": dict(description)}
    write_json(folder / DESCRIPTION, content)


def open_arrays(folder: Path) -> Arrays:
    """Open a folder that `write_arrays` wrote; its arrays are mapped when they are first asked for.

    Raises:
        DataError: the description is missing, unreadable, of another schema version, or names impossible arrays.
    """
    path = folder / DESCRIPTION
    try:
        _plain_size(path)
        content = read_json(path)
        version, listed, description = (content[key] for key in ("schema_version", "arrays", "description"))
        stored = {name: _Stored.read(name, entry) for name, entry in listed.items()}
        description = dict(description)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder} holds no arrays: {DESCRIPTION} cannot be read ({error})") from error
    if version != SCHEMA_VERSION:
        raise DataError(f"{folder}: arrays of schema version {version!r}, this program reads {SCHEMA_VERSION}")
    return Arrays(folder, description, stored)


@dataclass(frozen=True)
class _Stored:
    """Type and shape of an array, as described."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @classmethod
    def read(cls, name: str, value: Mapping[str, Any]) -> _Stored:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an array")
        dtype, shape = np.dtype(str(value["dtype"])), tuple(value["shape"])
        if dtype.kind not in KINDS or dtype.shape or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"array {name} of {dtype} and shape {shape}")
        return cls(dtype, shape)

    @property
    def size_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def header(self) -> bytes:
        """Beginning of the .npy file, format version 1.0, a multiple of 64 bytes.

        Written here, so that a file is compared with it and no text of the file is ever parsed.
        """
        text = f"{{'descr': {self.dtype.str!r}, 'fortran_order': False, 'shape': {self.shape!r}, }}"
        text += " " * (-(len(text) + 11) % 64) + "\n"
        return np.lib.format.magic(1, 0) + len(text).to_bytes(2, "little") + text.encode("ascii")


@dataclass(frozen=True)
class Arrays:
    """Arrays on disk by name: write-protected, mapped, kept open from their first use on."""

    folder: Path
    description: dict[str, Any]
    _stored: Mapping[str, _Stored]
    _open: dict[str, npt.NDArray[Any]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """In alphabetical order."""
        return tuple(sorted(self._stored))

    def __contains__(self, name: str) -> bool:
        return name in self._stored

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Map an array.

        Raises:
            KeyError: there is no array of that name.
            DataError: its file is missing, a link, cut off, or holds something other than described.
        """
        if name not in self._open:
            self._open[name] = _mapped(self.folder / f"{name}.npy", self._stored[name])
        return self._open[name]


def _write(path: Path, array: npt.NDArray[Any]) -> None:
    # Not np.save: its own way of writing loses the number of the error, and a full disk has one.
    array = np.asarray(array, order="C")
    with path.open("wb") as stream:
        stream.write(_Stored(array.dtype, array.shape).header)
        if array.size:
            stream.write(array.reshape(-1).view(np.uint8).data)


def _mapped(path: Path, stored: _Stored) -> npt.NDArray[Any]:
    header = stored.header
    try:
        found, expected = _plain_size(path), len(header) + stored.size_bytes
        with path.open("rb") as stream:
            if found != expected or stream.read(len(header)) != header:
                raise ValueError(
                    f"{found} bytes, described are {stored.dtype} of shape {stored.shape} in {expected} bytes"
                )
        if stored.size_bytes == 0:  # which cannot be mapped
            empty = np.empty(stored.shape, stored.dtype)
            empty.flags.writeable = False
            return empty
        return np.memmap(path, stored.dtype, "r", len(header), stored.shape)
    except (OSError, ValueError, OverflowError) as error:
        raise DataError(f"{path}: cannot be mapped ({error}); remove its folder to have it built again") from error


def _plain_size(path: Path) -> int:
    """Bytes of a file; links and devices are refused: they would read something outside the folder, or never end."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path.name} is no plain file")
    return status.st_size
