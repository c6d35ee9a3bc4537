"""Which files of the LiTS test set belong together: `test-volume-N.nii[.gz]` and the liver mask of the same N."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.data.reading import compare, read_image, read_labels, read_volume
from bench.data.volume import Geometry, Volume
from bench.errors import DataError

VOLUME = "test-volume-N.nii[.gz]"
LIVER = "liver-N.nii[.gz] or test-segmentation-N.nii[.gz]"
"""How messages call the names that are looked for."""

_VOLUME = re.compile(r"test-volume-([0-9]+)\.nii(\.gz)?")
_LIVER = re.compile(r"(?:liver|test-segmentation)-([0-9]+)\.nii(\.gz)?")


@dataclass(frozen=True)
class Scan:
    """One volume of the test set.

    number  N as it stands in the name.
    volume  the CT.
    liver   label map whose labels ≥ 1 are the liver, where masks are given.
    """

    number: str
    volume: Path
    liver: Path | None = None

    @property
    def name(self) -> str:
        return f"test-volume-{self.number}"

    @property
    def output(self) -> str:
        """Name of the file that the test server expects."""
        return f"test-segmentation-{self.number}.nii"

    @property
    def files(self) -> tuple[Path, ...]:
        """The CT, then the mask where there is one."""
        return (self.volume, self.liver) if self.liver else (self.volume,)

    def read(self) -> Volume:
        """The CT in the canonical frame, with the labels of its liver mask where one is given.

        Raises:
            DataError: as `check`.
        """
        return read_volume(self.name, (self.volume,), self.liver)

    def check(self) -> None:
        """Read everything once and forget it.

        Raises:
            DataError: a file is unreadable or damaged, the CT has not one channel and three axes, the mask has other
                values than integers, or lies on another grid: shape, spacing, origin or direction.
        """
        image, grid = read_image(self.name, self.volume)
        if len(image) != 1 or len(grid.shape) != 3:
            raise DataError(
                f"case {self.name}: {self.volume} has {len(image)} channel(s) and {len(grid.shape)} axes; expected a "
                "CT of one channel and three axes"
            )
        if self.liver is not None:
            _, other = read_labels(self.name, self.liver)
            _refuse_other_frame(self.name, (self.volume, grid), (self.liver, other))


def find_scans(images: Path, livers: Path | None) -> tuple[Scan, ...]:
    """The test volumes of a folder in the order of their numbers, each with its liver mask where masks are given.

    Raises:
        DataError: no such folder or no test volume in it, a number that occurs twice, a name in capitals, or volumes
            and masks that are not of the same numbers.
    """
    volumes = _numbered(images, _VOLUME, VOLUME)
    if livers is None:
        return tuple(Scan(_digits(volumes[number]), volumes[number]) for number in sorted(volumes))
    masks = _numbered(livers, _LIVER, LIVER)
    _refuse_mismatch(images, volumes, livers, masks)
    return tuple(Scan(_digits(volumes[number]), volumes[number], masks[number]) for number in sorted(volumes))


def _numbered(folder: Path, pattern: re.Pattern[str], expected: str) -> dict[int, Path]:
    """The files of a folder whose name fits, by number."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected one with {expected}")
    names = sorted(item.name for item in folder.iterdir() if not item.name.startswith(".") and item.is_file())
    found: dict[int, Path] = {}
    for name in names:
        if match := pattern.fullmatch(name):
            other = found.setdefault(int(match[1]), folder / name)
            if other.name != name:
                raise DataError(f"{other} and {folder / name} are both of number {int(match[1])}: leave one of them")
        elif pattern.fullmatch(name.lower()):
            raise DataError(f"{folder / name} has capitals in its name, expected {expected}: rename it")
    if not found:
        others = f"{len(names)} other files: {_listed(names)}" if names else "it is empty"
        raise DataError(f"{folder} holds no {expected} ({others}); N is a number: name the folder that holds them")
    return found


def _refuse_mismatch(images: Path, volumes: dict[int, Path], livers: Path, masks: dict[int, Path]) -> None:
    lacking = [volumes[number].name for number in sorted(volumes.keys() - masks.keys())]
    if lacking:
        raise DataError(
            f"{livers} has no liver mask for {_listed(lacking)} of {images}; expected {LIVER} with the same number for "
            "each: add them, or let a trained cell find the liver with --liver-run and --liver-cell"
        )
    unasked = [masks[number].name for number in sorted(masks.keys() - volumes.keys())]
    if unasked:
        raise DataError(
            f"{images} has no volume for {_listed(unasked)} of {livers}; expected the same numbers in both, so that "
            "no test volume is forgotten: add it, or move the mask away"
        )


def _refuse_other_frame(case: str, volume: tuple[Path, Geometry], mask: tuple[Path, Geometry]) -> None:
    """A training label that lies elsewhere is a note; here the mask decides where the network looks at all."""
    notes = compare(case, volume, mask)
    if notes:
        raise DataError(
            f"case {case}: the liver mask {mask[0]} lies on another grid than {volume[0]}: "
            f"{'; '.join(note.removesuffix('; taken as the same grid') for note in notes)}; expected the same origin "
            "and direction: resample the mask to the volume"
        )


def _digits(path: Path) -> str:
    match = _VOLUME.fullmatch(path.name)
    assert match is not None
    return match[1]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
