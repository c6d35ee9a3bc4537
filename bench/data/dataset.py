"""What every dataset format offers (its cases, their volumes, the identity of what it read), and formats by name.

Each file of `bench/data/formats/` is one format; others come through the entry-point group. A format's file imports
neither torch nor SimpleITK at its top, because suites are checked without them.
"""

from __future__ import annotations

import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic

import numpy as np
import numpy.typing as npt
from pydantic import Field
from typing_extensions import TypeVar

from bench.data.fingerprints import FingerprintMemory
from bench.data.settings import DatasetSettings
from bench.data.volume import Case, Volume
from bench.errors import DataError
from bench.files.checksum import sha256_file
from losses.registry import Registry, locate

_NAMED = 20
"""Omissions named in one message; the others are counted."""

S = TypeVar("S", bound=DatasetSettings, default=Any)


@dataclass(frozen=True)
class Omission:
    """A case that is named somewhere but cannot be used: its id, why (one sentence), and the rule that it breaks."""

    case: str
    reason: str
    rule: str = "pairing"


@dataclass(frozen=True)
class Listing:
    """The usable cases, in natural order of their ids, and what could not become one."""

    cases: tuple[Case, ...]
    omissions: tuple[Omission, ...] = ()


class Dataset(ABC, Generic[S]):
    """Cases of one format. Constructing it touches no file.

    `settings_type` is the format's settings model, whose `format` is a literal of the registered name.
    """

    settings_type: ClassVar[type[DatasetSettings]]
    plain_files: ClassVar[bool] = False
    """Whether `Case.files` are images that can be opened one by one, the label last; data checks then do so."""
    has_images: ClassVar[bool] = True
    """False where cases are masks alone; regressors can be pre-trained on them, and nothing else be done."""

    def __init__(self, settings: S) -> None:
        self.settings = settings

    @abstractmethod
    def absence(self) -> str | None:
        """Why the data cannot be found, in one sentence, or None when it is there. Looks, but reads no image."""

    @abstractmethod
    def cases(self) -> tuple[Case, ...]:
        """All cases in natural order of their ids.

        Raises:
            DataError: no case, images without label or labels without image, duplicates; all of them are listed.
        """

    def listing(self) -> Listing:
        """As `cases`, but what is wrong with a single case is told beside the others instead of raised.

        A format that can tell good cases from bad ones overrides this.

        Raises:
            DataError: the data set as a whole cannot be used.
        """
        return Listing(self.cases())

    def split_file(self) -> Path | None:
        """A split that lies with the data and is taken where the suite says nothing about splits."""
        return None

    def channels(self) -> int | None:
        """The declared number of image channels; None where every file speaks for itself."""
        return None

    @abstractmethod
    def read(self, case: Case) -> Volume:
        """The case's voxels as they are in the files.

        Raises:
            DataError: naming case, path and cause.
        """

    def distractors(self, case: Case) -> npt.NDArray[np.bool_] | None:
        """Native mask of benign look-alikes, where they are known; only evaluation may look at it."""
        return None

    def fingerprint(self, case: Case, memory: FingerprintMemory | None = None) -> str:
        """Identity of the case's content: SHA-256 over the checksums of its files in order; names do not matter.

        Without a memory all files are read. A generated case overrides this with what it is generated from.

        Raises:
            DataError: a file cannot be read.
        """
        try:
            sums = [memory.checksum(path) if memory else sha256_file(path) for path in case.files]
        except OSError as error:
            raise DataError(f"case {case.id}: {error.filename} cannot be read: {error.strerror}") from error
        return hashlib.sha256("".join(f"{one}\n" for one in sums).encode()).hexdigest()


formats: Registry[Dataset] = Registry(
    "dataset format", package="bench.data.formats", group="imbalance_bench.formats", error=DataError
)


def open_dataset(settings: DatasetSettings) -> Dataset:
    """The dataset that the settings describe; touches no file yet."""
    return _format_type(settings.format)(settings)


def has_images(settings: DatasetSettings) -> bool:
    """Whether the cases of such a data set have images."""
    return _format_type(settings.format).has_images


def dataset_settings_type() -> Any:
    """Union of the settings of all formats, told apart by `format`, for use as a pydantic type. Imports all formats."""
    models: list[Any] = [_format_type(name).settings_type for name in formats.names()]
    return Annotated[reduce(or_, models), Field(discriminator="format")] if len(models) > 1 else models[0]


def _format_type(name: str) -> type[Dataset]:
    kind = formats.get(name)
    if not (isinstance(kind, type) and issubclass(kind, Dataset)):
        raise DataError(f"dataset format {name!r} is {locate(kind)}; expected a subclass of bench.data.dataset.Dataset")
    return kind


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which `volume-2` comes before `volume-10`; different texts have different keys."""
    pieces = re.findall(r"\d+|\D+", text)
    return tuple((0, int(piece), piece) if piece.isdecimal() else (1, 0, piece) for piece in pieces)


def screened(cases: Sequence[Case], omissions: Iterable[Omission] = ()) -> Listing:
    """Cases in natural order; an id that names several of them, or cannot name a folder, joins the omissions.

    Ids that differ only in capitals are one, as they are on many file systems.
    """
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.id.casefold(), []).append(case)
    usable, found = [], list(omissions)
    for group in groups.values():
        identity = group[-1].id
        if not re.fullmatch(r"[^\W_][\w.+-]{0,99}", identity):
            reason = (
                f"case id {identity!r} cannot name a folder; expected up to 100 letters, digits and . _ + -, "
                f"beginning with a letter or digit"
            )
            found.append(Omission(identity, reason, "case_id"))
        elif len(group) > 1:
            times = "twice" if len(group) == 2 else f"{len(group)} times"
            found.append(Omission(identity, f"case id {identity!r} is used {times}: {_listed(group)}", "duplicate_id"))
        else:
            usable += group
    return Listing(tuple(sorted(usable, key=lambda case: natural_key(case.id))), tuple(found))


def with_files(cases: Sequence[Case], omissions: Iterable[Omission] = ()) -> Listing:
    """`screened`, where a case that names files which do not exist joins the omissions too."""
    # Not `Path.is_file`, which raises where a name is longer than the file system takes.
    absent = {id(case): [path for path in case.files if not os.path.isfile(path)] for case in cases}  # noqa: PTH113
    lost = [
        Omission(case.id, f"case {case.id} names files that do not exist: {', '.join(map(str, absent[id(case)]))}")
        for case in cases
        if absent[id(case)]
    ]
    return screened([case for case in cases if not absent[id(case)]], [*omissions, *lost])


def checked_cases(cases: Sequence[Case], where: object) -> tuple[Case, ...]:
    """Cases in natural order, provided that there are some and that their ids can name folders.

    Raises:
        DataError: none at all, an id used twice (also in another case of letters), or one that cannot name a folder.
    """
    return accepted(screened(cases), where)


def accepted(listing: Listing, where: object, on_bad_case: str = "fail") -> tuple[Case, ...]:
    """The cases of a listing, which must be without omissions unless bad cases are skipped.

    Raises:
        DataError: an omission, all of which are named, or no case at all.
    """
    if listing.omissions and on_bad_case == "fail":
        reasons = [omission.reason for omission in listing.omissions]
        more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
        raise DataError(f"{where}: {'; '.join(reasons[:_NAMED])}{more}")
    if not listing.cases:
        raise DataError(f"{where}: no case found")
    return listing.cases


def _listed(cases: Iterable[Case]) -> str:
    return ", ".join(str(path) for case in cases for path in case.files)
