"""The folder of an export keeps what it holds: nothing of others, of another export, or of other files is replaced."""

from __future__ import annotations

import pytest

from bench.errors import RunError
from bench.export.folder import ExportFolder
from bench.export.record import CellSource, ExportRecord, InputFile, LiverSource, MaskRecord, Voxels
from bench.files.checksum import sha256_bytes

VOLUME, LIVER = InputFile(file="test-volume-1.nii", sha256="a" * 64), InputFile(file="liver-1.nii", sha256="b" * 64)
NAME, CONTENT = "test-segmentation-1.nii", b"a mask"


def record(checksum: str = "c" * 64, liver: LiverSource | None = None) -> ExportRecord:
    tumour = CellSource(run="runs/a", cell="dice-s0-f0-abc", checkpoint="best", sha256=checksum)
    return ExportRecord(labels={}, tumour=tumour, liver=liver or LiverSource(kind="masks", folder="livers"))


def mask(volume=VOLUME, liver=LIVER) -> MaskRecord:
    voxels = Voxels(liver=3, tumour=2, tumour_outside_liver=0)
    return MaskRecord(volume=volume, liver=liver, sha256=sha256_bytes(CONTENT), voxels=voxels, device="cpu")


@pytest.fixture
def written(tmp_path):
    folder = ExportFolder(tmp_path / "made" / "out", record())
    with folder.held():
        folder.write(NAME, CONTENT, mask())
    return folder.path


def test_what_is_written_is_complete_for_the_same_export_wherever_its_run_lies(written):
    moved = record().model_copy(update={"tumour": record().tumour.model_copy(update={"run": "elsewhere"})})
    folder = ExportFolder(written, moved)
    assert folder.is_complete(NAME, VOLUME, LIVER)
    assert not folder.is_complete("test-segmentation-2.nii", VOLUME, LIVER)


def test_a_file_that_was_recorded_and_not_written_is_not_complete(written):
    (written / NAME).unlink()
    assert not ExportFolder(written, record()).is_complete(NAME, VOLUME, LIVER)


@pytest.mark.parametrize(
    "other",
    [
        record(checksum="d" * 64),
        record(liver=LiverSource(kind="none")),
        record(liver=LiverSource(kind="cell", cell=record().tumour)),
    ],
    ids=["checkpoint", "no liver", "liver cell"],
)
def test_another_export_is_refused_and_both_are_named(written, other):
    with pytest.raises(
        RunError, match=r"holds another export \(tumour from .*\), not this one \(tumour from .*\); give"
    ):
        ExportFolder(written, other)


def test_a_mask_of_other_files_and_one_that_was_changed_are_kept(written):
    folder = ExportFolder(written, record())
    other = InputFile(file="other.nii", sha256="e" * 64)
    with pytest.raises(RunError, match="was made of another volume than the one that is there now"):
        folder.is_complete(NAME, other, LIVER)
    with pytest.raises(RunError, match="was made of another liver mask"):
        folder.is_complete(NAME, VOLUME, None)
    (written / NAME).write_bytes(b"corrected by hand")
    with pytest.raises(RunError, match="was changed since it was exported; move it away"):
        folder.is_complete(NAME, VOLUME, LIVER)


def test_a_mask_that_is_in_no_record_is_somebody_else_s(written):
    (written / "test-segmentation-2.nii").write_bytes(b"mine")
    with pytest.raises(RunError, match=r"not of this export \(test-segmentation-2.nii\)"):
        ExportFolder(written, record())


def test_hidden_files_are_nobody_s(written):
    (written / ".DS_Store").write_bytes(b"")
    assert ExportFolder(written, record()).is_complete(NAME, VOLUME, LIVER)
