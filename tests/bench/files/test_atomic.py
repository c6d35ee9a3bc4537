"""Whole or not there: writers are real processes that are killed, run out of space or race one another."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import time

import pytest

from bench.errors import StorageError
from bench.files.atomic import publish_folder, remove_folder, replacing, sweep, write_bytes, write_json, write_text
from bench.files.names import TEMPORARY

SIZE = 1_000_000
KILLS = 8

WRITE_FOREVER = f"""
import sys
from pathlib import Path
from bench.files.atomic import write_bytes
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    for letter in (b"a", b"b"):
        write_bytes(path, letter * {SIZE})
"""

STOP_BEFORE_RENAME = """
import sys, time
from pathlib import Path
from bench.files.atomic import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"new")
    print("ready", flush=True)
    time.sleep(60)
"""

FILL_THE_DISK = f"""
import resource, sys
from pathlib import Path
from bench.errors import StorageError
from bench.files.atomic import write_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, ({SIZE // 2}, {SIZE // 2}))
try:
    write_bytes(Path(sys.argv[1]), b"n" * {SIZE})
except StorageError as error:
    print(error)
"""

PUBLISH = """
import sys, time
from pathlib import Path
from bench.files.atomic import publish_folder
from bench.files.checksum import seal_folder
name, base = sys.argv[1], Path(sys.argv[2])
working = base / f"working-{name}"
(working / "sub").mkdir(parents=True)
for index in range(30):
    (working / "sub" / f"{name}-{index}").write_text(name)
seal_folder(working)
print("ready", flush=True)
while not (base / "go").exists():
    pass
print(publish_folder(working, base / "runs" / "final"))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process that runs `code` and has said that it is ready."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_killed_writer_leaves_old_or_new_content_and_never_a_part(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"a" * SIZE)
    delays = random.Random(0)
    for _ in range(KILLS):
        process = start(WRITE_FOREVER, path)
        time.sleep(delays.uniform(0, 0.03))
        kill(process)
        content = path.read_bytes()
        assert len(content) == SIZE
        assert content in (b"a" * SIZE, b"b" * SIZE)
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_killed_between_write_and_rename_the_old_content_stays_and_the_leftover_is_swept(tmp_path):
    path = tmp_path / "weights.pt"
    path.write_bytes(b"old")
    kill(start(STOP_BEFORE_RENAME, path))
    assert path.read_bytes() == b"old"
    (leftover,) = set(tmp_path.iterdir()) - {path}
    assert leftover.name.startswith(TEMPORARY)
    assert leftover.suffix == ".pt"
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_is_an_error_and_the_old_content_stays(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", FILL_THE_DISK, path], capture_output=True, text=True, check=True)
    assert re.match(
        rf"{path} cannot be written \(File too large; {SIZE:,} bytes needed, [\d,]+ bytes free", done.stdout
    )
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_inside_replacing_leaves_everything_as_it_was(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_wrote_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.png"):
        pass


@pytest.mark.parametrize("name", ["mask.nii.gz", "é" * 127, "肝" * 81 + ".nii.gz", "x" * 255])
def test_any_name_that_the_file_system_takes_can_be_written(tmp_path, name):
    write_bytes(tmp_path / name, b"1")
    write_bytes(tmp_path / name, b"2")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [(name, b"2")]


def test_the_temporary_name_keeps_the_suffixes_that_writers_look_at(tmp_path):
    with replacing(tmp_path / f"{'long-' * 40}.nii.gz") as temporary:
        assert temporary.suffixes[-2:] == [".nii", ".gz"]
        temporary.touch()


def test_equal_values_give_equal_json_bytes(tmp_path):
    write_json(tmp_path / "a", {"b": 1, "a": [1.5, "ä"]})
    write_json(tmp_path / "b", {"a": [1.5, "ä"], "b": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert json.loads((tmp_path / "a").read_text(encoding="utf-8")) == {"a": [1.5, "ä"], "b": 1}


def test_nan_is_refused_in_json_and_the_old_file_stays(tmp_path):
    write_json(tmp_path / "a", 1)
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a", {"dice": float("nan")})
    assert (tmp_path / "a").read_text() == "1\n"


def test_text_keeps_its_newlines(tmp_path):
    write_text(tmp_path / "a", "é\r\n\n")
    assert (tmp_path / "a").read_bytes() == "é\r\n\n".encode()


def test_of_two_publishing_processes_the_first_wins_and_nothing_is_mixed(tmp_path):
    publishers = {name: start(PUBLISH, name, tmp_path) for name in ("one", "two")}
    (tmp_path / "go").touch()
    said = {name: process.communicate()[0].strip() for name, process in publishers.items()}
    assert sorted(said.values()) == ["False", "True"]
    winner = next(name for name, answer in said.items() if answer == "True")
    files = sorted((tmp_path / "runs" / "final" / "sub").iterdir())
    assert len(files) == 30
    assert {file.read_text() for file in files} == {winner}
    assert sorted(item.name for item in tmp_path.iterdir()) == ["go", "runs"]


def test_a_file_in_the_place_of_a_folder_costs_nobody_his_work(tmp_path):
    working, final = tmp_path / "working", tmp_path / "final"
    working.mkdir()
    (working / "result").write_text("hours")
    final.write_text("in the way")
    with pytest.raises(StorageError, match=r"final cannot be written \(Not a directory"):
        publish_folder(working, final)
    assert (working / "result").read_text() == "hours"
    assert final.read_text() == "in the way"


def test_a_folder_without_a_seal_in_the_place_of_a_published_one_costs_nobody_his_work(tmp_path):
    working, final = tmp_path / "working", tmp_path / "final"
    for folder, text in ((working, "hours"), (final, "a part of a copy")):
        folder.mkdir()
        (folder / "result").write_text(text)
    with pytest.raises(StorageError, match=r"final cannot be written \(a folder without seal.* stays in .*working"):
        publish_folder(working, final)
    assert (working / "result").read_text() == "hours"
    assert (final / "result").read_text() == "a part of a copy"


def test_a_folder_is_removed_although_another_process_removes_it_too(tmp_path, monkeypatch):
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    usual = shutil.rmtree

    def meet(folder):
        monkeypatch.undo()
        usual(folder / "deep")
        raise FileNotFoundError(folder / "deep")

    monkeypatch.setattr(shutil, "rmtree", meet)
    remove_folder(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_sweeping_takes_temporary_files_and_folders_and_nothing_else(tmp_path):
    (tmp_path / f"{TEMPORARY}folder" / "deep").mkdir(parents=True)
    (tmp_path / f"{TEMPORARY}file").touch()
    (tmp_path / "kept").touch()
    (tmp_path / f"{TEMPORARY}link").symlink_to(tmp_path)
    assert sweep(tmp_path) == 3
    assert [item.name for item in tmp_path.iterdir()] == ["kept"]
    assert sweep(tmp_path / "absent") == 0
