"""What data costs: one crop, a training step with data and without, an epoch from files and from the cache.

One core does everything, so that what the prefetching thread computes is paid for and not hidden on a second core.
"""

from __future__ import annotations

import itertools
import os
import shutil

import numpy as np
import pytest
import torch

import losses
import models
from bench.data.batches import assemble, prefetched
from bench.data.cache.arrays import open_arrays, write_arrays
from bench.data.cache.store import CaseCache
from bench.data.cutting import cut
from bench.data.dataset import open_dataset
from bench.data.formats.lits import LitsSettings
from bench.data.phantom.export import write_lits
from bench.data.phantom.settings import PhantomSettings
from bench.data.prepared import open_prepared, write_prepared
from bench.data.preprocessing import prepare
from bench.data.sampler import PatchSampler, SamplingSettings
from bench.data.settings import PreprocessingSettings
from bench.files.checksum import seal_folder
from bench.training.loop import use_channels_last
from models.method import Method

CROP = (96, 96, 96)
CROP_MILLISECONDS, DATA_SHARE = 1.0, 0.10
CASES = 12


@pytest.fixture(autouse=True)
def one_core():
    former = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(former)})
    yield
    os.sched_setaffinity(0, former)


@pytest.mark.parametrize("stored_as", ["float32", "float16"])
def test_one_crop(benchmark, tmp_path, stored_as):
    """Image and labels of a patch of 96³ from a cached case of 160×256×256 whose pages are in memory."""
    shape = (160, 256, 256)
    write_arrays(
        tmp_path / "case",
        {"image": np.ones((1, *shape), stored_as), "labels": np.zeros(shape, np.int8)},
        {},
    )
    case = open_arrays(tmp_path / "case")
    image, labels = case["image"], case["labels"]
    assert image.sum(dtype=np.float64) + labels.sum() == image.size  # which reads every page once
    starts = itertools.cycle(np.random.default_rng(0).integers(0, np.subtract(shape, CROP) + 1, (64, 3)).tolist())

    def crop():
        start = tuple(next(starts))
        return cut(image, start, CROP, 0.0), cut(labels, start, CROP, -1)

    benchmark.pedantic(crop, rounds=200, warmup_rounds=20)
    assert benchmark.stats.stats.median * 1000 <= CROP_MILLISECONDS


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """The embedded phantom's cases as the files of a LiTS folder."""
    folder = tmp_path_factory.mktemp("phantom") / "scans"
    write_lits(folder, PhantomSettings(format="phantom", cases=CASES, seed=1))
    return folder


@pytest.fixture(scope="module")
def dataset(scans):
    return open_dataset(LitsSettings(format="lits", root=scans, target=(2,), roi=(1, 2)))


SETTINGS = PreprocessingSettings(window=(-60.0, 140.0))
SAMPLING = SamplingSettings(patch_size=(32, 32, 32), batch_size=2)


def filled(cache, dataset):
    """Prepare every case into the cache as a worker does, and open them."""
    for case in dataset.cases():
        cache.start(case.id)
        write_prepared(cache.building(case.id), prepare(dataset.read(case), dataset.settings, SETTINGS), case)
        seal_folder(cache.building(case.id))
        cache.publish(case.id)
    return opened(cache, dataset)


def opened(cache, dataset):
    return [open_prepared(cache.folder(case.id)) for case in dataset.cases()]


def test_an_epoch(interleave, dataset, tmp_path):
    """As many batches as there are cases: first from the files into an empty cache, then from the cache."""

    def epoch(cases):
        sampler = PatchSampler(cases, SAMPLING, seed=0)
        return [assemble(sampler, sampler.plan(step)) for step in range(len(cases))]

    def first():
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        epoch(filled(CaseCache(tmp_path / "cache", 10**12), dataset))

    def cached():
        epoch(opened(CaseCache(tmp_path / "cache", 10**12), dataset))

    first()
    compared = interleave({"cached": cached, "first": first}, rounds=10)
    assert compared.ratio("first", "cached") > 1


def test_a_training_step(interleave, dataset, tmp_path):
    """A network and a patch of the phantom profile's size: batches from the cache, and one batch again and again."""
    torch.use_deterministic_algorithms(False)
    cases = filled(CaseCache(tmp_path / "cache", 10**12), dataset)
    sampler = PatchSampler(cases, SAMPLING, seed=0)
    backbone = models.create_backbone(
        "residual_unet",
        in_channels=1,
        classes=2,
        spatial_dims=3,
        widths=(8, 16, 32),
        encoder_blocks=(1, 1),
        decoder_blocks=(1, 1),
    )
    method = Method(backbone, losses.create("dice"))
    use_channels_last(method)
    optimiser = torch.optim.Adam(method.parameters())

    def step(batch):
        optimiser.zero_grad(set_to_none=True)
        method.objective(method.training_terms(batch)).backward()
        optimiser.step()

    stream = (planned.batch for planned in prefetched(sampler, 0, 10**6))
    dummy = assemble(sampler, sampler.plan(0))
    compared = interleave({"dummy": lambda: step(dummy), "data": lambda: step(next(stream))}, rounds=60)
    assert compared.ratio("data", "dummy") <= 1 + DATA_SHARE
