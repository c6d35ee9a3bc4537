"""Checksums: the integrity of a file or of a published folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.errors import BenchError
from bench.files.atomic import write_json
from bench.files.json_files import read_json
from bench.files.names import SEAL as SEAL
from bench.files.names import TEMPORARY


class DamagedError(BenchError):
    """A sealed folder whose content is not what was sealed."""


def sha256_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def seal_folder(folder: Path) -> None:
    """Record the checksum of every file below `folder` in its `seal.json`; call it last, before publishing."""
    write_json(folder / SEAL, {"sha256": {name: sha256_file(folder / name) for name in _contents(folder)}})


def is_sealed(folder: Path) -> bool:
    """Whether the folder claims to be complete; says nothing of its content (see `verify_folder`)."""
    return (folder / SEAL).is_file()


def verify_folder(folder: Path) -> None:
    """Compare every file with the seal.

    Raises:
        DamagedError: the seal is missing or unreadable, a file is missing, altered, was never sealed or is a link.
    """
    sealed = _sealed(folder)
    present = set(_contents(folder))
    problems = [f"{name} is missing" for name in sealed.keys() - present]
    problems += [f"{name} was added" for name in present - sealed.keys()]
    problems += [f"{name} was replaced by a link" for name in _links(folder)]
    problems += [f"{n} was altered" for n in sorted(present & sealed.keys()) if sha256_file(folder / n) != sealed[n]]
    if problems:
        raise DamagedError(
            f"{folder}: {'; '.join(sorted(problems))} since it was sealed; remove the folder to have it rebuilt"
        )


def _sealed(folder: Path) -> dict[str, str]:
    """File names and checksums as sealed."""
    try:
        return dict(read_json(folder / SEAL)["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(
            f"{folder}: its {SEAL} cannot be read ({error}); remove the folder to have it rebuilt"
        ) from error


def _contents(folder: Path) -> list[str]:
    """Names of the files below a folder, relative to it; a link is no file, wherever it points."""
    found = (item for item in folder.rglob("*") if item.is_file() and not item.is_symlink())
    files = (item for item in found if not item.name.startswith(TEMPORARY))
    return sorted(item.relative_to(folder).as_posix() for item in files if item != folder / SEAL)


def _links(folder: Path) -> list[str]:
    """Links below a folder; nothing that is published has any, so what they point at is not of our making."""
    return sorted(item.relative_to(folder).as_posix() for item in folder.rglob("*") if item.is_symlink())
