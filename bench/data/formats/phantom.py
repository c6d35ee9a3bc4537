"""Generated liver CT with tumours: no files, nothing to download."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench.data.dataset import Dataset, formats
from bench.data.fingerprints import FingerprintMemory
from bench.data.phantom.settings import PhantomSettings
from bench.data.phantom.streams import GENERATOR_VERSION
from bench.data.volume import Case
from bench.errors import DataError

if TYPE_CHECKING:
    from bench.data.phantom.assemble import Phantom


@formats.register("phantom")
class PhantomDataset(Dataset):
    """Cases `phantom-0`, `phantom-1`, …, one patient each, generated anew at every reading."""

    settings_type = PhantomSettings

    def __init__(self, settings: PhantomSettings) -> None:
        self.settings: PhantomSettings = settings

    def absence(self) -> str | None:
        return None

    def cases(self) -> tuple[Case, ...]:
        names = (f"phantom-{index}" for index in range(self.settings.cases))
        return tuple(Case(name, name) for name in names)

    def read(self, case: Case) -> Phantom:
        from bench.data.phantom.assemble import generate

        return generate(self._index(case), self.settings)

    def distractors(self, case: Case) -> npt.NDArray[np.bool_]:
        """The benign look-alikes of a case, (D, H, W); only evaluation may look, to count false positives on them."""
        return self.read(case).distractors

    def fingerprint(self, case: Case, memory: FingerprintMemory | None = None) -> str:
        """Identity of the case: SHA-256 of all that it is generated from, the generator's version included."""
        settings = self.settings
        origin = {
            "generator": GENERATOR_VERSION,
            "seed": settings.seed,
            "size": settings.size,
            "spacing_mm": settings.spacing_mm,
            "index": self._index(case),
        }
        return hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()

    def _index(self, case: Case) -> int:
        number = case.id.removeprefix("phantom-")
        if not number.isdecimal() or int(number) >= self.settings.cases:
            raise DataError(
                f"case {case.id}: not of this phantom; expected phantom-0 … phantom-{self.settings.cases - 1}"
            )
        return int(number)
