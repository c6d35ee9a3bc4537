"""Checkpoints: whole, ours, or not used; the one before is always there."""

from __future__ import annotations

import io
import os
import pickle
import random
import runpy
import signal
import time
import warnings
import zipfile

import pytest
import torch

from bench.files.checksum import sha256_bytes
from bench.files.names import TEMPORARY
from bench.training.checkpoint_names import newest_step
from bench.training.checkpoints import CheckpointError, from_bytes, load_newest, save_checkpoint, to_bytes

BIG = 300_000


def state(step: int) -> dict:
    return {"weights": {"a": torch.full((7,), step)}, "progress": {"step": step}}


def saved(folder, *steps):
    return [save_checkpoint(folder, step, state(step)) for step in steps]


def step_of(checkpoint) -> int:
    return checkpoint["progress"]["step"]


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_everything_a_training_carries_comes_back(tmp_path):
    layout = torch.channels_last_3d
    given = {
        "weights": {"a": torch.randn(2, 3, 4, 4, 4).contiguous(memory_format=layout), "b": torch.ones(2).bfloat16()},
        "optimiser": torch.optim.Adam([torch.ones(3, requires_grad=True)]).state_dict(),
        "history": [{"step": 1, "dice": 0.1 + 0.2, "cases": {"ä": 1.0}}, None, "text", 2**70, -0.0, float("inf")],
    }
    save_checkpoint(tmp_path, 1, given)
    found = load_newest(tmp_path)
    assert found["history"] == given["history"]
    assert found["optimiser"] == given["optimiser"]
    assert torch.equal(found["weights"]["a"], given["weights"]["a"])
    assert found["weights"]["a"].is_contiguous(memory_format=layout)
    assert found["weights"]["b"].dtype == torch.bfloat16


def test_no_checkpoint_is_no_error(tmp_path):
    assert load_newest(tmp_path / "absent") is None
    assert load_newest(tmp_path) is None


def test_the_two_newest_are_kept(tmp_path):
    paths = saved(tmp_path, 9, 10, 99, 100, 1000)
    assert sorted(tmp_path.iterdir()) == paths[-2:]
    assert step_of(load_newest(tmp_path)) == 1000


def test_one_checkpoint_per_step_is_kept_the_last_that_was_written(tmp_path):
    """A step is stored twice when its validation was broken off and made up for later."""
    saved(tmp_path, 5)
    for content in range(8):
        newest = save_checkpoint(tmp_path, 10, {"progress": {"step": 10}, "content": content})
        assert [path.name[:13] for path in sorted(tmp_path.iterdir())] == ["step-00000005", "step-00000010"]
        assert newest.exists()
        assert load_newest(tmp_path)["content"] == content


def test_the_newest_step_is_told_by_names_alone(tmp_path):
    assert newest_step(tmp_path / "absent") == 0
    saved(tmp_path, 7, 12)
    (tmp_path / "step-00000099-0123456789abcdef.damaged").touch()
    assert newest_step(tmp_path) == 12


def test_the_name_carries_step_and_checksum(tmp_path):
    (path,) = saved(tmp_path, 12)
    assert path.name == f"step-00000012-{sha256_bytes(path.read_bytes())[:16]}.pt"


def damage_by_truncation(data: bytearray) -> None:
    del data[len(data) // 2 :]


def damage_by_one_bit(data: bytearray) -> None:
    data[len(data) // 2] ^= 4


@pytest.mark.parametrize("damage", [damage_by_truncation, damage_by_one_bit, bytearray.clear])
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_used(tmp_path, damage):
    before, newest = saved(tmp_path, 50, 100)
    data = bytearray(newest.read_bytes())
    damage(data)
    newest.write_bytes(data)
    with pytest.warns(UserWarning, match=rf"{newest.name}: does not match its checksum; set aside as .*\.damaged"):
        assert step_of(load_newest(tmp_path)) == 50
    assert names(tmp_path) == sorted([before.name, newest.with_suffix(".damaged").name])
    assert newest.with_suffix(".damaged").read_bytes() == data
    with warnings.catch_warnings(action="error"):
        assert step_of(load_newest(tmp_path)) == 50


def test_with_all_damaged_the_training_starts_anew(tmp_path):
    for path in saved(tmp_path, 50, 100):
        path.write_bytes(b"")
    with pytest.warns(UserWarning, match="set aside"):
        assert load_newest(tmp_path) is None


def test_a_checkpoint_under_the_name_of_another_is_not_used(tmp_path):
    (path,) = saved(tmp_path, 50)
    path.rename(tmp_path / f"step-00000100-{'0' * 16}.pt")
    with pytest.warns(UserWarning, match="set aside"):
        assert load_newest(tmp_path) is None


def test_other_files_of_the_folder_are_left_alone(tmp_path):
    saved(tmp_path, 50)
    for name in ("notes.txt", "step-1.pt", "step-00000060.pt"):
        (tmp_path / name).write_text("mine")
    assert step_of(load_newest(tmp_path)) == 50
    assert len(names(tmp_path)) == 4


def test_what_a_killed_writer_left_is_swept_with_one_warning(tmp_path):
    saved(tmp_path, 50)
    (tmp_path / f"{TEMPORARY}0123-step-00000100.pt").write_bytes(b"half")
    with pytest.warns(UserWarning, match=r"removed 1 half-written file") as caught:
        assert step_of(load_newest(tmp_path)) == 50
    assert len(caught) == 1
    assert len(names(tmp_path)) == 1


class Marker:
    """Unpickling this makes a folder."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def as_archive(value) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def as_old_format(value) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


@pytest.mark.parametrize("write", [as_archive, as_old_format, pickle.dumps])
def test_a_foreign_object_is_refused_and_never_executed(tmp_path, write):
    """Even under a name whose checksum is right, and even when an older checkpoint could be used instead."""
    marker, folder = tmp_path / "executed", tmp_path / "resume"
    saved(folder, 50)
    data = write({"weights": {"a": torch.ones(2)}, "progress": Marker(marker)})
    (folder / f"step-00000100-{sha256_bytes(data)[:16]}.pt").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"step-00000100-.*\.pt: refused, .* could execute code; remove it"):
        load_newest(folder)
    assert not marker.exists()
    pickle.loads(pickle.dumps(Marker(marker)))
    assert marker.is_dir()


def empty_archive() -> bytes:
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data", [b"", b"<html>", to_bytes(state(1))[:300], to_bytes(state(1))[:-1], empty_archive()], ids=range(5)
)
def test_what_is_no_checkpoint_is_named(data):
    with pytest.raises(CheckpointError, match=r"last\.pt: (cannot be read|refused)"):
        from_bytes(data, "last.pt")


def test_a_checkpoint_without_names_is_refused():
    with pytest.raises(CheckpointError, match="expected a checkpoint's dictionary, found list"):
        from_bytes(to_bytes([torch.ones(2)]))


def save_forever(folder) -> None:
    step = 0
    while True:
        step += 1
        save_checkpoint(folder, step, {"weights": {"a": torch.full((BIG,), step)}, "progress": {"step": step}})


def test_killed_while_saving_the_newest_whole_checkpoint_is_found(tmp_path, processes):
    delays = random.Random(0)
    for _ in range(6):
        process = processes.Process(target=runpy.run_path, args=(__file__, {"folder": tmp_path}, "saving"))
        process.start()
        while not list(tmp_path.glob("step-*.pt")):
            time.sleep(0.01)
        time.sleep(delays.uniform(0, 0.05))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        newest = max(tmp_path.glob("step-*.pt"))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*half-written")
            found = load_newest(tmp_path)
        assert f"step-{step_of(found):08d}" == newest.name[:13]
        assert torch.equal(found["weights"]["a"], torch.full((BIG,), step_of(found)))
        assert not list(tmp_path.glob("*.damaged"))


if __name__ == "saving":
    save_forever(globals()["folder"])
