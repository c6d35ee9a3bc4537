"""Random streams of the phantom: one Philox stream per seed, case, part of the anatomy and generator version.

A case therefore does not depend on how many cases are generated, in which order or by how many threads, and a change
in how one part uses its random numbers leaves the other parts of every case where they were.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

GENERATOR_VERSION = 6
"""Raised whenever the voxels of any case change; part of every fingerprint."""


class Part(IntEnum):
    """What a stream is for. The numbers are part of the generator: append, never renumber."""

    ORGAN = 0
    VESSELS = 1
    TUMOURS = 2
    LOOKALIKES = 3
    DUCTS = 4
    SURROUNDINGS = 5
    ACQUISITION = 6


def stream(seed: int, index: int, part: Part) -> np.random.Generator:
    """Return the generator of one part of one case: Philox keyed by (seed, index), counter started at (part, version).

    Philox counts in the lowest of its four words, so streams that differ in the upper words never meet.
    """
    counter = np.array([0, 0, int(part), GENERATOR_VERSION], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64), counter=counter))
