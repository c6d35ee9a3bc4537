"""A CSV of label files without images: what regressors can be pre-trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from bench.data.file_list import FileList, ListSettings
from bench.data.formats import formats
from bench.data.volume import Case, Volume


class MasksSettings(ListSettings):
    """A CSV with the column `label`, and optionally `case` and `patient`; only for `pretrain_on`."""

    format: Literal["masks"] = "masks"


@formats.register("masks")
class MasksDataset(FileList[MasksSettings]):
    """One case per line. `case` defaults to the name of the label without suffix, `patient` to the case.

    Where other cases have an image, these have their labels as numbers: nothing that is trained on them looks at it.
    """

    settings_type = MasksSettings
    has_images = False
    columns = ("label",)

    def read(self, case: Case) -> Volume:
        from bench.data.reading import read_volume

        volume = read_volume(case.id, (), case.files[0])
        assert volume.labels is not None
        return replace(volume, image=volume.labels[None].astype(np.float32))
