from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.data.batches import assemble
from bench.data.cache.arrays import write_arrays
from bench.data.prepared import open_prepared, write_prepared
from bench.data.preprocessing import prepare, restore
from bench.data.sampler import PatchSampler, SamplingSettings
from bench.data.settings import CropSettings, DatasetSettings, PreprocessingSettings
from bench.data.volume import Case, Geometry, Volume
from bench.errors import DataError
from bench.files.checksum import DamagedError, seal_folder, verify_folder

SETTINGS = DatasetSettings(format="toy", target={"tumour": (2,), "cyst": (3,)}, roi=(1, 2, 3), ignore_label=9)
CROP = PreprocessingSettings(roi_from="reference", crop=CropSettings(margin_voxels=1))


def case_of(labels: np.ndarray, preprocessing: PreprocessingSettings = CROP):
    image = np.random.default_rng(0).normal(size=(2, *labels.shape)).astype(np.float32)
    geometry = Geometry.plain(labels.shape, (3.0, 1.0, 1.5)[-labels.ndim :])
    return prepare(Volume(image, labels.astype(np.int16), geometry), SETTINGS, preprocessing)


def liver() -> np.ndarray:
    labels = np.zeros((12, 14, 16), np.int16)
    labels[3:9, 4:10, 5:12], labels[4, 5, 6:9], labels[7, 7, 7], labels[5, 5, 5] = 1, 2, 3, 9
    return labels


@pytest.fixture
def written(tmp_path):
    prepared = case_of(liver())
    write_prepared(tmp_path / "case", prepared, Case("a-1", "patient a"))
    return prepared, open_prepared(tmp_path / "case")


def test_every_array_comes_back_mapped_and_write_protected(written):
    prepared, opened = written
    for name in ("image", "labels", "roi"):
        mapped, array = getattr(opened, name), getattr(prepared, name)
        assert isinstance(mapped, np.memmap)
        assert mapped.dtype == array.dtype
        assert np.array_equal(mapped, array)
        with pytest.raises(ValueError, match="read-only"):
            mapped[...] = 0


def test_the_description_comes_back(written):
    prepared, opened = written
    assert (opened.id, opened.patient) == ("a-1", "patient a")
    assert opened.meta == json.loads(json.dumps(prepared.meta))
    assert opened.spacing_mm == (3.0, 1.0, 1.5)
    assert opened.class_voxels == tuple(int((prepared.labels == k).sum()) for k in range(3))
    probabilities = np.stack([opened.labels == k for k in range(3)]).astype(np.float32)
    assert np.array_equal(restore(probabilities, opened.meta), np.maximum(prepared.reference, 0))


def test_foreground_lists_the_voxels_of_each_class(written):
    prepared, opened = written
    tumour, cyst = opened.foreground
    assert np.array_equal(tumour, np.flatnonzero(prepared.labels == 1))
    assert np.array_equal(cyst, np.flatnonzero(prepared.labels == 2))
    assert tumour.dtype == np.int64


def test_the_native_reference_comes_back_whole(written):
    prepared, opened = written
    assert opened.reference().shape == (12, 14, 16)
    assert np.array_equal(opened.reference(), prepared.reference)
    assert (opened.reference() == -1).sum() == 1


def test_the_preview_comes_back(written):
    prepared, opened = written
    preview = opened.preview()
    assert (preview.index, preview.box) == (prepared.preview.index, prepared.preview.box)
    assert np.array_equal(preview.image, prepared.preview.image)
    assert np.array_equal(opened.reference()[preview.index[0]][4:9, 5:11], preview.labels[0][1:6, 1:7])


def test_a_case_without_target_region_or_reference_can_be_written(tmp_path):
    empty = case_of(np.zeros((5, 6, 7)))
    write_prepared(tmp_path / "empty", empty, Case("e", "e"))
    opened = open_prepared(tmp_path / "empty")
    assert [len(voxels) for voxels in opened.foreground] == [0, 0]
    assert opened.roi is None
    assert not opened.reference().any()
    unlabelled = Volume(np.ones((1, 5, 6, 7), np.float32), None, Geometry.plain((5, 6, 7)))
    write_prepared(tmp_path / "new", prepare(unlabelled, SETTINGS, PreprocessingSettings()), Case("n", "n"))
    with pytest.raises(DataError, match="case n was prepared without reference"):
        open_prepared(tmp_path / "new").reference()


def test_whether_a_case_has_a_target_is_known_without_reading_the_reference(tmp_path, written):
    _, opened = written
    (opened.folder / "reference.npy").unlink()
    assert opened.has_target
    write_prepared(tmp_path / "empty", case_of(np.zeros((5, 6, 7))), Case("e", "e"))
    assert not open_prepared(tmp_path / "empty").has_target


def test_a_target_outside_the_crop_counts_ignored_voxels_do_not(tmp_path):
    """Scores are computed on the native grid, so what the crop lost is still the case's target."""
    labels = np.zeros((12, 14, 16), np.int16)
    labels[3, 3, 3] = 1
    labels[9, 9, 9] = 2
    dataset = SETTINGS.model_copy(update={"roi": (1,)})
    volume = Volume(np.ones((1, *labels.shape), np.float32), labels, Geometry.plain(labels.shape))
    write_prepared(tmp_path / "lost", prepare(volume, dataset, CROP), Case("l", "l"))
    lost = open_prepared(tmp_path / "lost")
    assert lost.class_voxels[1:] == (0, 0)
    assert lost.has_target
    labels[9, 9, 9] = 9
    volume = Volume(volume.image, labels, volume.geometry)
    write_prepared(tmp_path / "ignored", prepare(volume, dataset, CROP), Case("i", "i"))
    assert not open_prepared(tmp_path / "ignored").has_target


def test_without_reference_nobody_knows_whether_there_is_a_target(tmp_path):
    unlabelled = Volume(np.ones((1, 5, 6, 7), np.float32), None, Geometry.plain((5, 6, 7)))
    write_prepared(tmp_path / "new", prepare(unlabelled, SETTINGS, PreprocessingSettings()), Case("n", "n"))
    with pytest.raises(DataError, match="case n was prepared without reference"):
        open_prepared(tmp_path / "new").has_target  # noqa: B018


def test_an_image_of_half_precision_is_stored_as_it_is(tmp_path):
    prepared = case_of(liver())
    half = replace(prepared, image=prepared.image.astype(np.float16))
    write_prepared(tmp_path / "half", half, Case("h", "h"))
    opened = open_prepared(tmp_path / "half")
    assert opened.image.dtype == np.float16
    assert np.array_equal(opened.image, half.image)
    sampler = PatchSampler([opened], SamplingSettings(patch_size=(4, 4, 4)), seed=0)
    assert assemble(sampler, sampler.plan(0)).image.dtype == torch.float32


def test_a_2d_case_can_be_written(tmp_path):
    prepared = case_of(liver()[4])
    write_prepared(tmp_path / "flat", prepared, Case("f", "f"))
    opened = open_prepared(tmp_path / "flat")
    assert np.array_equal(opened.image, prepared.image)
    assert opened.preview().image.ndim == 3


def test_the_same_case_gives_the_same_bytes_and_a_changed_bit_is_noticed(tmp_path):
    for name in ("one", "two"):
        write_prepared(tmp_path / name, case_of(liver()), Case("a", "a"))
        seal_folder(tmp_path / name)
    assert (tmp_path / "one/seal.json").read_bytes() == (tmp_path / "two/seal.json").read_bytes()
    verify_folder(tmp_path / "one")
    content = bytearray((tmp_path / "one/image.npy").read_bytes())
    content[-1] ^= 1
    (tmp_path / "one/image.npy").write_bytes(content)
    with pytest.raises(DamagedError, match=r"image\.npy was altered"):
        verify_folder(tmp_path / "one")


def test_an_array_of_pickled_objects_is_refused(written):
    _, opened = written
    np.save(opened.folder / "image.npy", np.array([{"code": "here"}], dtype=object), allow_pickle=True)
    with pytest.raises((ValueError, DataError)):
        open_prepared(opened.folder).image  # noqa: B018


def test_a_folder_that_is_no_prepared_case_is_refused(tmp_path, written):
    with pytest.raises(DataError, match="holds no arrays"):
        open_prepared(tmp_path)
    write_arrays(tmp_path / "map", {"distance": np.zeros(3)}, {"schema_version": 2})
    with pytest.raises(DataError, match="is no prepared case: it has no class_voxels, foreground, id, image, labels"):
        open_prepared(tmp_path / "map")
    _, opened = written
    names = {name: opened.arrays[name] for name in opened.arrays}
    write_arrays(tmp_path / "new", names, opened.description | {"schema_version": 99})
    with pytest.raises(DataError, match="schema version 99, this program reads 2"):
        open_prepared(tmp_path / "new")


def test_patches_can_be_drawn_from_it(written):
    _, opened = written
    sampler = PatchSampler([opened], SamplingSettings(patch_size=(4, 4, 4)), seed=0)
    assert len(sampler.plan(0)) == 2
