"""Segment the LiTS test set with a trained tumour network: the files that the challenge's server expects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.data.fingerprints import FingerprintMemory
from bench.data.volume import Volume
from bench.errors import RunError, StorageError
from bench.execution.prediction import TrainedCell
from bench.export.folder import ExportFolder
from bench.export.label_file import label_file
from bench.export.lits_cells import CellChoice, needs_liver, open_liver_cell, open_tumour_cell
from bench.export.lits_files import Scan, find_scans
from bench.export.lits_labels import BACKGROUND, LIVER, TUMOUR, Mask, combined, in_words
from bench.export.record import CellSource, ExportRecord, InputFile, LiverSource, MaskRecord
from bench.files.checksum import sha256_bytes, sha256_file

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What is to be exported.

    tumour  cell of the tumour network.
    images  folder of test-volume-N.nii[.gz].
    out     folder for test-segmentation-N.nii and export.json; made when missing.
    liver   folder of liver masks, or a cell that finds the liver, or None: then no voxel gets the label 1, and the
            tumour network must not need a region of interest.
    """

    tumour: CellChoice
    images: Path
    out: Path
    liver: Path | CellChoice | None = None
    device: str = "auto"
    trust_plugins: bool = False


def export_lits(request: Request, say: Say = print, passing: Say | None = None) -> ExportRecord:
    """Write `test-segmentation-N.nii` for every test volume, with 0 background, 1 liver and 2 tumour.

    Each file is on the voxel grid of its volume, uint8. Tumour outside of the liver stays tumour and is counted. Files
    that an earlier call completed are left alone, so a killed export goes on with the same call.

    Args:
        say: told what the export is made of, and each file with its voxels.
        passing: told what is being done.

    Raises:
        BenchError: nothing is segmented unless cells, volumes, masks and the folder can be used.
    """
    passing = passing or _nobody
    masks = request.liver if isinstance(request.liver, Path) else None
    scans = find_scans(request.images, masks)
    _refuse_inputs_as_output(request)
    cells = _open_cells(request)
    folder = ExportFolder(request.out, _record(request, cells))
    sources = _sources(scans, passing)
    todo = [scan for scan in scans if not folder.is_complete(scan.output, *sources[scan])]
    _check(todo, passing)
    with folder.held():
        say(folder.record.words())
        todo = [scan for scan in todo if not folder.is_complete(scan.output, *sources[scan])]
        if len(todo) < len(scans):
            say(f"{len(scans) - len(todo)} of {len(scans)} files are complete already")
        for position, scan in enumerate(todo, start=1):
            passing(f"segmenting {scan.name} ({position} of {len(todo)})")
            content, made = _segmented(scan, cells, sources[scan])
            folder.write(scan.output, content, made)
            passing("")
            say("; ".join([f"{folder.path / scan.output}  {in_words(made.voxels)}", *made.notes]))
    return folder.record


@dataclass(frozen=True)
class _Cells:
    tumour: TrainedCell
    liver: TrainedCell | None


def _open_cells(request: Request) -> _Cells:
    liver = None
    if isinstance(request.liver, CellChoice):
        liver = open_liver_cell(request.liver, request.device, request.trust_plugins)
    tumour = open_tumour_cell(request.tumour, request.device, request.trust_plugins)
    if request.liver is None and needs_liver(tumour):
        raise RunError(
            f"{request.tumour.cell} of {request.tumour.run} looks inside the liver only (preprocessing.roi_from: "
            f"{tumour.suite.preprocessing.roi_from}), and a test volume has no reference to take it from; give masks "
            "with --liver, or a trained liver cell with --liver-run and --liver-cell"
        )
    return _Cells(tumour, liver)


def _refuse_inputs_as_output(request: Request) -> None:
    inputs = [request.images, *([request.liver] if isinstance(request.liver, Path) else [])]
    if request.out.resolve() in [folder.resolve() for folder in inputs]:
        raise RunError(
            f"{request.out} is also a folder of inputs, which must stay as they are; give another with --out"
        )


def _record(request: Request, cells: _Cells) -> ExportRecord:
    liver = LiverSource(kind="none")
    if isinstance(request.liver, Path):
        liver = LiverSource(kind="masks", folder=str(request.liver))
    elif request.liver is not None and cells.liver is not None:
        liver = LiverSource(kind="cell", cell=_source(request.liver, cells.liver))
    labels = {"background": BACKGROUND, "liver": LIVER, "tumour": TUMOUR}
    return ExportRecord(labels=labels, tumour=_source(request.tumour, cells.tumour), liver=liver)


def _source(choice: CellChoice, cell: TrainedCell) -> CellSource:
    checksum = sha256_file(cell.weights)
    return CellSource(run=str(choice.run), cell=choice.cell, checkpoint=cell.checkpoint, sha256=checksum)


def _sources(scans: Sequence[Scan], passing: Say) -> dict[Scan, tuple[InputFile, InputFile | None]]:
    """Checksums of every volume and of its liver mask; those of files that did not change are remembered."""
    memory, found = FingerprintMemory.of_user(), {}
    for scan in scans:
        passing(f"reading {scan.name}")
        files = [InputFile(file=path.name, sha256=memory.checksum(path)) for path in scan.files]
        found[scan] = files[0], files[1] if scan.liver else None
    with suppress(StorageError):  # what is not remembered is read again, and nothing is lost
        memory.save()
    return found


def _check(scans: Sequence[Scan], passing: Say) -> None:
    for position, scan in enumerate(scans, start=1):
        passing(f"checking {scan.name} ({position} of {len(scans)})")
        scan.check()
    passing("")


def _segmented(scan: Scan, cells: _Cells, sources: tuple[InputFile, InputFile | None]) -> tuple[bytes, MaskRecord]:
    """The file of one volume, and what is recorded of it."""
    volume = scan.read()
    liver = _liver(volume, cells.liver)
    tumour = cells.tumour.segment(_with_region(volume, liver, cells.tumour)) > 0
    labels, voxels = combined(liver, tumour)
    content = label_file(scan.volume, labels, volume.geometry)
    return content, MaskRecord(
        volume=sources[0],
        liver=sources[1],
        sha256=sha256_bytes(content),
        voxels=voxels,
        device=cells.tumour.device.type,
        notes=_notes(liver, cells.tumour),
    )


def _liver(volume: Volume, cell: TrainedCell | None) -> Mask | None:
    """The liver on the volume's own grid: found by a cell, else as given."""
    if cell is not None:
        return cell.segment(replace(volume, labels=None)) > 0
    return None if volume.labels is None else volume.labels >= LIVER


def _with_region(volume: Volume, liver: Mask | None, cell: TrainedCell) -> Volume:
    """The volume with the liver as the region of interest that the cell's suite names by label values."""
    roi = cell.suite.dataset.roi
    if liver is None or roi is None or not needs_liver(cell):
        return replace(volume, labels=None)
    return replace(volume, labels=np.where(liver, roi[0], 0).astype(np.int16))


def _notes(liver: Mask | None, cell: TrainedCell) -> tuple[str, ...]:
    if liver is not None and not liver.any():
        looked = "; the whole volume was searched" if needs_liver(cell) else ""
        return (f"no voxel of the liver{looked}",)
    return ()


def _nobody(line: str) -> None:
    pass
