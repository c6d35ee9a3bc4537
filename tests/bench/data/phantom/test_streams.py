"""Streams of random numbers: the same for the same key, unrelated for any other."""

from __future__ import annotations

import itertools

import numpy as np

from bench.data.phantom import streams
from bench.data.phantom.streams import Part, stream


def test_the_same_key_gives_the_same_numbers():
    assert np.array_equal(stream(1000, 3, Part.ORGAN).random(50), stream(1000, 3, Part.ORGAN).random(50))


def test_every_seed_index_and_part_has_its_own_numbers():
    keys = itertools.product((1000, 1001), (0, 1), Part)
    drawn = [stream(*key).random(200) for key in keys]
    assert len({numbers.tobytes() for numbers in drawn}) == len(drawn)
    assert np.abs(np.corrcoef(drawn) - np.eye(len(drawn))).max() < 0.35


def test_a_new_generator_version_changes_every_stream(monkeypatch):
    before = stream(1000, 0, Part.TUMOURS).random(5)
    monkeypatch.setattr(streams, "GENERATOR_VERSION", streams.GENERATOR_VERSION + 1)
    assert not np.array_equal(before, stream(1000, 0, Part.TUMOURS).random(5))


def test_parts_keep_their_numbers():
    assert [part.value for part in Part] == list(range(7))
