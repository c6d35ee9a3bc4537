"""Whether a NIfTI file holds what its header promises.

ITK fills the missing part of a truncated file with zeros, replaces a spacing of zero or NaN by 1 mm and a voxel of NaN
or infinity by 0, all without a word. So the file is checked here before ITK reads it.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

PIECE = 1 << 22


class BrokenNiftiError(ValueError):
    """A file that is not the complete NIfTI image that it claims to be; the message is the cause alone.

    `rule` is the name of the data check that it fails.
    """

    def __init__(self, cause: str, rule: str = "unreadable") -> None:
        super().__init__(cause)
        self.rule = rule


def is_nifti(path: Path) -> bool:
    """Whether the name says that the file is a single-file NIfTI image."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def check_nifti(path: Path) -> int:
    """Read the file once, from end to end.

    Returns:
        Number of voxels that are NaN or infinite.

    Raises:
        BrokenNiftiError: not NIfTI, truncated, damaged (gzip CRC), or with a spacing that is not a positive number.
        OSError: the file cannot be opened.
    """
    if path.stat().st_size == 0:
        raise BrokenNiftiError("the file is empty (0 bytes)")
    with path.open("rb") as raw:
        start = raw.read(64)
        compressed = start[:2] == b"\x1f\x8b"
        if start.lstrip()[:5].lower() in (b"<!doc", b"<html", b"<?xml"):
            raise BrokenNiftiError(f"a web page saved under this name (an error page?): it begins with {start[:16]!r}")
        raw.seek(0)
        if not compressed and path.name.lower().endswith(".gz"):
            raise BrokenNiftiError(f"not a gzip file: it begins with {raw.read(16)!r}")
        try:
            # A GzipFile reads like any binary file; its class only declares it otherwise.
            return _check_stream(cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if compressed else raw)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BrokenNiftiError(f"the compressed data is truncated or damaged ({error})") from error


def _check_stream(stream: IO[bytes]) -> int:
    header, length = _read_header(stream)
    needed = _needed_bytes(header)
    begin = max(int(header["vox_offset"]), length)
    length += len(stream.read(begin - length))
    kind = header.get_data_dtype()
    bad, rest = 0, b""
    while piece := stream.read(PIECE):
        if kind.kind == "f":
            block = rest + piece[: max(needed - length, 0)]
            usable = len(block) - len(block) % kind.itemsize
            values = np.frombuffer(block[:usable], kind)
            bad += values.size - int(np.count_nonzero(np.isfinite(values)))
            rest = block[usable:]
        length += len(piece)
    if length < needed:
        raise BrokenNiftiError(f"truncated: the header promises {needed} bytes, the file holds {length}")
    return bad


def _read_header(stream: IO[bytes]) -> tuple[Any, int]:
    """The header as nibabel sees it, nothing repaired, and the bytes read for it."""
    import nibabel

    start = stream.read(4)
    kinds = {348: nibabel.Nifti1Header, 540: nibabel.Nifti2Header}
    for order, size in (("little", int.from_bytes(start, "little")), ("big", int.from_bytes(start, "big"))):
        if size in kinds:
            block = start + stream.read(size - 4)
            if len(block) == size:
                return kinds[size](block, endianness=order, check=False), size
    raise BrokenNiftiError(f"not a NIfTI file: it begins with {start!r}")


def _needed_bytes(header: Any) -> int:
    """Size of the whole file according to its header, whose spacing is checked on the way."""
    axes = int(header["dim"][0])
    if not 1 <= axes <= 7:
        raise BrokenNiftiError(f"the header names {axes} axes")
    shape = [int(n) for n in header["dim"][1 : 1 + axes]]
    spacing = [float(s) for s in header["pixdim"][1 : 1 + min(axes, 3)]]
    if not all(math.isfinite(s) and s > 0 for s in spacing):
        raise BrokenNiftiError(
            f"spacing {tuple(spacing)} mm (x, y, z) in the header: expected positive numbers", "spacing"
        )
    return int(header["vox_offset"]) + int(np.prod(shape, dtype=np.int64)) * int(header["bitpix"]) // 8
