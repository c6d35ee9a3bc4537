"""The cache between real processes: every entry whole, published once, whoever dies in the middle."""

from __future__ import annotations

import os

import numpy as np
import pytest

from bench.data.cache.arrays import open_arrays, write_arrays
from bench.data.cache.store import DEFAULT_LIMIT_BYTES, CaseCache
from bench.data.prepared import open_prepared, write_prepared
from bench.data.preprocessing import prepare
from bench.data.settings import DatasetSettings, PreprocessingSettings
from bench.data.volume import Case, Geometry, Volume
from bench.errors import DataError
from bench.files.checksum import DamagedError, seal_folder, verify_folder

RACE = """
import time
number, built = int(arguments[0]), []
print("ready", flush=True)
sys.stdin.readline()
for identity in (f"case-{n}" for n in range(30)):
    lock = cache.lock(identity)
    while not lock.acquire():
        time.sleep(0.001)
    if not cache.holds(identity):
        full = np.full(50_000, number, np.uint8)
        write_arrays(cache.start(identity), {"image": full, "labels": full}, {"number": number})
        seal_folder(cache.building(identity))
        cache.publish(identity)
        built.append(identity)
    lock.release()
print(*built, flush=True)
"""

DIE = """
import bench.data.cache.store as store
import bench.files.atomic as atomic
stage = arguments[0]

def reach(name):
    if name == stage:
        print("ready", flush=True)
        sys.stdin.readline()

def publish(working, final):
    reach("about to rename")
    done = atomic.publish_folder(working, final)
    reach("renamed")
    return done

store.publish_folder = publish
cache.lock("a-1").acquire()
reach("locked")
building = cache.start("a-1")
with (building / "image.npy").open("wb") as stream:
    stream.write(b"half")
    stream.flush()
    reach("half a file")
write_arrays(building, {"image": np.zeros(1000, np.uint8)}, {})
reach("written")
seal_folder(building)
reach("sealed")
cache.publish("a-1")
"""


def test_two_processes_that_fill_the_same_entries_fill_each_of_them_once(cache, start):
    racers = [start(RACE, str(number)) for number in (1, 2)]
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    built = [racer.stdout.readline().split() for racer in racers]
    assert sorted(built[0] + built[1]) == sorted(f"case-{n}" for n in range(30))
    for number, identities in enumerate(built, start=1):
        for identity in identities:
            verify_folder(cache.folder(identity))
            arrays = open_arrays(cache.folder(identity))
            assert arrays.description == {"number": number}
            assert all((arrays[name] == number).all() for name in ("image", "labels"))
    assert {(entry.state, entry.in_use) for entry in cache.entries()} == {("whole", False)}
    assert not list(cache.place("building").iterdir())


@pytest.mark.parametrize("stage", ["locked", "half a file", "written", "sealed", "about to rename"])
def test_what_a_process_killed_before_publishing_left_is_swept_and_built_again(cache, start, fill, stage):
    filler = start(DIE, stage)
    assert not cache.lock("a-1").acquire()
    filler.kill()
    filler.wait()
    assert not cache.holds("a-1")
    left = [(entry.state, entry.in_use) for entry in cache.entries()]
    assert left == ([] if stage == "locked" else [("unfinished", False)])
    folder = fill(cache, "a-1", 2000)
    verify_folder(folder)
    assert open_arrays(folder)["image"].shape == (2000,)
    assert [entry.state for entry in cache.entries()] == ["whole"]


def test_what_a_process_killed_after_publishing_left_is_whole(cache, start):
    filler = start(DIE, "renamed")
    filler.kill()
    filler.wait()
    assert cache.holds("a-1")
    verify_folder(cache.folder("a-1"))
    assert [(entry.state, entry.in_use) for entry in cache.entries()] == [("whole", False)]


def test_the_first_publisher_wins_and_nothing_is_mixed(cache, fill):
    folder = fill(cache, "a-1", 1000)
    assert fill(cache, "a-1", 5000) == folder
    assert open_arrays(folder)["image"].shape == (1000,)
    assert not cache.building("a-1").exists()


def test_an_entry_without_a_seal_is_never_published(cache):
    write_arrays(cache.start("a-1"), {"image": np.zeros(3)}, {})
    with pytest.raises(DataError, match="has no seal: it is not complete"):
        cache.publish("a-1")
    with pytest.raises(DataError, match="has no seal"):
        cache.publish("b-2")
    assert not cache.holds("a-1")


def test_a_part_of_a_copy_in_the_place_of_an_entry_gives_way(cache, fill):
    cache.folder("a-1").mkdir(parents=True)
    (cache.folder("a-1") / "image.npy").write_bytes(b"part")
    assert not cache.holds("a-1")
    verify_folder(fill(cache, "a-1"))


@pytest.mark.parametrize("damage", ["cut off", "flipped"])
def test_damage_is_noticed_and_the_entry_can_be_built_again(cache, fill, damage):
    folder = fill(cache, "a-1")
    image = folder / "image.npy"
    if damage == "cut off":
        os.truncate(image, image.stat().st_size - 1)
    else:
        content = bytearray(image.read_bytes())
        content[500] ^= 4
        image.write_bytes(content)
    with pytest.raises(DamagedError, match=r"image\.npy was altered"):
        verify_folder(folder)
    folder.rename(folder.with_name("a-1.damaged"))
    verify_folder(fill(cache, "a-1"))
    states = {entry.identity: entry.state for entry in cache.entries()}
    assert states == {"a-1": "whole", "a-1.damaged": "damaged"}


def test_a_map_is_an_entry_beside_its_case_and_a_new_one_never_rebuilds_the_image(cache):
    """A toy map: the cache stores named arrays and does not know what they mean."""
    labels = np.zeros((6, 7, 8), np.int16)
    labels[2:4, 2:5, 3:6] = 2
    volume = Volume(np.ones((1, 6, 7, 8), np.float32), labels, Geometry.plain((6, 7, 8)))
    case = prepare(volume, DatasetSettings(format="toy", target={"tumour": (2,)}), PreprocessingSettings())
    identity = "case-a-0123456789ab"
    with cache.lock(identity):
        write_prepared(cache.start(identity), case, Case("a", "a"))
        seal_folder(cache.building(identity))
        prepared = open_prepared(cache.publish(identity))
    before = {file.name: file.stat().st_mtime_ns for file in prepared.folder.iterdir()}

    toy = f"{identity}.toy-0123456789ab"
    with cache.lock(toy):
        maps = {
            "toy": (prepared.labels[np.newaxis] > 0).astype(np.float16) / 2,
            "ids": prepared.labels.astype(np.int32),
        }
        write_arrays(cache.start(toy), maps, {"map": "toy", "case": prepared.id})
        seal_folder(cache.building(toy))
        arrays = open_arrays(cache.publish(toy))

    assert arrays.description == {"map": "toy", "case": "a"}
    assert (arrays["toy"].dtype, arrays["ids"].dtype) == (np.float16, np.int32)
    assert np.array_equal(arrays["toy"][0] > 0, labels == 2)
    assert {file.name: file.stat().st_mtime_ns for file in prepared.folder.iterdir()} == before
    cache.remove([entry for entry in cache.entries() if entry.identity == toy])
    assert cache.holds(identity)
    assert not cache.holds(toy)


def test_the_size_of_an_entry_is_that_of_its_files(cache, fill):
    folder = fill(cache, "a-1", 12_345, used=1e9)
    (entry,) = cache.entries()
    assert entry.path == folder
    assert entry.bytes == sum(file.stat().st_size for file in folder.iterdir())
    assert (entry.last_used, entry.in_use, entry.state) == (1e9, False, "whole")


def test_touching_what_is_not_there_does_nothing(cache):
    cache.touch("a-1")
    assert cache.entries() == ()


def test_the_users_cache_has_the_limit_that_its_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path))
    monkeypatch.delenv("IMBALANCE_BENCH_CACHE_LIMIT", raising=False)
    assert CaseCache.of_user() == CaseCache(tmp_path / "cases", DEFAULT_LIMIT_BYTES)
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE_LIMIT", "1.5 TB")
    assert CaseCache.of_user().limit_bytes == 1_500_000_000_000
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE_LIMIT", "much")
    with pytest.raises(DataError, match=r"variable IMBALANCE_BENCH_CACHE_LIMIT: 'much' is no .* such as 200GB"):
        CaseCache.of_user()
