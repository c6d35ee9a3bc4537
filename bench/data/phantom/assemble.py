"""One case of the phantom, put together from its parts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bench.data.phantom.acquisition import acquire
from bench.data.phantom.grid import Field, Grid, Mask
from bench.data.phantom.lesions import Lesion, LesionMaker, make_bumps, make_tumours, tumour_hu
from bench.data.phantom.lookalikes import make_lookalikes
from bench.data.phantom.organ import make_organ
from bench.data.phantom.placement import Placement
from bench.data.phantom.settings import PhantomSettings
from bench.data.phantom.streams import Part, stream
from bench.data.phantom.surroundings import make_surroundings
from bench.data.phantom.vessels import add_vessels, make_ducts
from bench.data.volume import Geometry, Volume

BACKGROUND, LIVER, TUMOUR = 0, 1, 2


@dataclass(frozen=True)
class Phantom(Volume):
    """A generated case.

    image        (1, D, H, W) whole HU.
    labels       (D, H, W) 0 background, 1 liver, 2 tumour.
    distractors  (D, H, W) the benign look-alikes: liver, disjoint from the tumours. For counting false positives on
                 them, never for training.
    """

    image: Field
    labels: npt.NDArray[np.int16]
    distractors: Mask = field(kw_only=True)


def generate(index: int, settings: PhantomSettings) -> Phantom:
    """Generate case `index`: a pure function of the index, the settings' seed, size and spacing, and the version."""
    grid = Grid(settings.size, settings.spacing_mm)

    def rng(part: Part) -> np.random.Generator:
        return stream(settings.seed, index, part)

    organ = make_organ(rng(Part.ORGAN), grid)
    tumour_rng = rng(Part.TUMOURS)
    maker = LesionMaker(grid, organ, Placement(grid, organ.depth_mm), make_bumps(tumour_rng, grid))
    dark_hu = tumour_hu(tumour_rng, organ)
    tumours = make_tumours(tumour_rng, maker, dark_hu)
    lookalikes = make_lookalikes(rng(Part.LOOKALIKES), maker, dark_hu)
    ducts, duct_hu = make_ducts(rng(Part.DUCTS), grid, organ)

    inside = organ.parenchyma_hu + add_vessels(rng(Part.VESSELS), grid, organ)
    inside += ducts * (np.float32(duct_hu) - inside)
    for lesion in [*lookalikes, *tumours]:
        _blend(inside, lesion)
    outside = make_surroundings(rng(Part.SURROUNDINGS), grid, organ.depth_mm)
    image = acquire(rng(Part.ACQUISITION), outside + organ.coverage * (inside - outside))

    tumour = _mask(grid, tumours) & organ.mask
    labels = np.where(tumour, TUMOUR, np.where(organ.mask, LIVER, BACKGROUND)).astype(np.int16)
    distractors = (_mask(grid, lookalikes) | (ducts >= 0.5)) & (labels == LIVER)
    return Phantom(image[np.newaxis], labels, Geometry.plain(grid.size, grid.spacing_mm), distractors=distractors)


def _blend(hu: Field, lesion: Lesion) -> None:
    part = hu[lesion.window]
    part += lesion.alpha * (lesion.hu - part)


def _mask(grid: Grid, lesions: list[Lesion]) -> Mask:
    mask = np.zeros(grid.size, dtype=np.bool_)
    for lesion in lesions:
        mask[lesion.window] |= lesion.distance_mm < 0
    return mask
