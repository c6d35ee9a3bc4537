"""Which target maps a cell needs, and under which identities the cache has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import losses
from bench.data.maps import RESERVED
from bench.suite import plugins
from bench.suite.identity import identify
from losses import LossError


def kinds_of(loss: Mapping[str, Any]) -> tuple[str, ...]:
    """Kinds of target maps that a resolved loss requires, those of nested losses included.

    Raises:
        LossError: it requires something that is no target map.
    """
    kinds = tuple(sorted(set(losses.create(**loss).required_maps) - set(RESERVED)))
    for kind in kinds:
        try:
            losses.target_maps.describe(kind)
        except LossError as error:
            raise LossError(f"loss {loss['name']!r} requires a map that there is not: {error}") from error
    return kinds


def hashed(kinds: Iterable[str], scope: str) -> dict[str, Any]:
    """What the identity of a cell with such maps says about them; that of a cell without says nothing."""
    how = [_definition(kind) for kind in kinds]
    return {"maps": {"scope": scope, "kinds": how}} if how else {}


def map_identity(case: str, kind: str) -> str:
    """Identity of a map of a prepared case, the same for every loss, cell, run and suite."""
    return identify(f"{kind}-{case}", {"case": case, **_definition(kind)})


def _definition(kind: str) -> dict[str, Any]:
    """What decides the values of a map beside its case; of a kind that is not built in also where it comes from."""
    origin = plugins.origin(losses.target_maps.KINDS, kind)
    return losses.target_maps.identity(kind) | ({} if origin is None else {"origin": origin})
