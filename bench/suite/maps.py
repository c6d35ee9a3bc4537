"""Which target maps a method needs, and under which identities the cache has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import losses
import models
from bench.data.maps import RESERVED
from bench.suite import plugins
from bench.suite.identity import identify
from losses import LossError


def kinds_of(loss: Mapping[str, Any] | None, regressor: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Target maps that a resolved loss, those nested in it and a resolved regressor require: kinds, `_mm` for mm.

    Raises:
        LossError: the loss requires something that is no target map.
    """
    required = set() if loss is None else set(losses.create(**loss).required_maps)
    kinds = tuple(sorted(required - set(RESERVED)))
    for kind in kinds:
        try:
            losses.target_maps.describe(losses.target_maps.unit_of(kind)[0])
        except LossError as error:
            assert loss is not None
            raise LossError(f"loss {loss['name']!r} requires a map that there is not: {error}") from error
    of_regressor = () if regressor is None else models.create_regressor(**regressor).required_maps
    return tuple(sorted({*kinds, *of_regressor}))


def hashed(kinds: Iterable[str], scope: str) -> dict[str, Any]:
    """What the identity of a cell with such maps says about them; that of a cell without says nothing."""
    how = [_definition(kind) for kind in kinds]
    return {"maps": {"scope": scope, "kinds": how}} if how else {}


def map_identity(case: str, kind: str) -> str:
    """Identity of a map of a prepared case, the same for every loss, cell, run and suite."""
    return identify(f"{kind}-{case}", {"case": case, **_definition(kind)})


def _definition(name: str) -> dict[str, Any]:
    """What decides the values of a map beside its case; of a kind that is not built in also where it comes from."""
    kind, in_mm = losses.target_maps.unit_of(name)
    origin = plugins.origin(losses.target_maps.KINDS, kind)
    unit = {"unit": "mm"} if in_mm else {}
    return losses.target_maps.identity(kind) | unit | ({} if origin is None else {"origin": origin})
