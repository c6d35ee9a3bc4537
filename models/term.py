"""One addend of what training minimises."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Term(NamedTuple):
    """A scalar () and its weight; a weight that is learned is a tensor."""

    value: Tensor
    weight: float | Tensor
