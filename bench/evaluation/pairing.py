"""Which prediction file belongs to which reference file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.errors import DataError

_SUFFIX = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)$")
_SEGMENTATION = re.compile(r"segmentation-(\d+)$", re.IGNORECASE)


def pair_files(reference: Path, prediction: Path) -> dict[str, tuple[Path, Path]]:
    """Match the NIfTI files of two folders: reference's stem → (reference, prediction), in numeric order.

    Files match by stem (`case7.nii` and `case7.nii.gz`); those left over match by the number at the end of the stem
    (`segmentation-7` and `volume-7`), where only one file on each side has it. Hidden files are no cases, nor is a
    `volume-N` beside a `segmentation-N`: that is the scan.

    Raises: DataError where a folder holds no NIfTI file, two files of one stem, or a file without counterpart.
    """
    references, predictions = label_files(reference), label_files(prediction)
    matched = {stem: stem for stem in references if stem in predictions}
    open_references = [stem for stem in references if stem not in matched]
    open_predictions = [stem for stem in predictions if stem not in matched]
    matched |= _by_number(open_references, open_predictions)
    unscored = [references[stem].name for stem in references if stem not in matched]
    unasked = [predictions[stem].name for stem in open_predictions if stem not in matched.values()]
    if unscored or unasked:
        raise DataError(_without_counterpart(reference, prediction, unscored, unasked))
    return {stem: (references[stem], predictions[matched[stem]]) for stem in sorted(matched, key=_natural)}


def label_files(folder: Path) -> dict[str, Path]:
    """Stem → path of the label maps in a folder."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected a folder of .nii or .nii.gz files")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not _SUFFIX.search(path.name) or not path.is_file():
            continue
        stem = _SUFFIX.sub("", path.name)
        if stem in files:
            raise DataError(f"{files[stem]} and {path} have the same stem: leave one of them in the folder")
        files[stem] = path
    if not files:
        raise DataError(f"{folder}: no .nii or .nii.gz file in this folder")
    scans = {f"volume-{found[1]}" for stem in files if (found := _SEGMENTATION.match(stem))}
    return {stem: path for stem, path in files.items() if stem.lower() not in scans}


def _by_number(references: Iterable[str], predictions: Iterable[str]) -> dict[str, str]:
    """Reference's stem → prediction's stem where exactly one of each ends in a certain number."""
    left, right = _numbered(references), _numbered(predictions)
    return {
        left[number][0]: right[number][0]
        for number in left.keys() & right.keys()
        if len(left[number]) == len(right[number]) == 1
    }


def _numbered(stems: Iterable[str]) -> Mapping[int, list[str]]:
    numbered: dict[int, list[str]] = {}
    for stem in stems:
        if found := _NUMBER.search(stem):
            numbered.setdefault(int(found[1]), []).append(stem)
    return numbered


def _natural(stem: str) -> list[tuple[int, str]]:
    """Sort key under which 2 comes before 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", stem)]


def _without_counterpart(reference: Path, prediction: Path, unscored: list[str], unasked: list[str]) -> str:
    parts = []
    if unscored:
        parts.append(f"no prediction in {prediction} for {_listed(unscored)}")
    if unasked:
        parts.append(f"no reference in {reference} for {_listed(unasked)}")
    return (
        "; ".join(parts) + ". Expected one prediction per reference, of the same name or ending in the same number, "
        "so that no mean is over a part of the cases"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
