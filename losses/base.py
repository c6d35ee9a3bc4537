"""The contract of a loss."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from losses.compiled_counts import compiled_counts
from losses.errors import LossError
from losses.statistics import Statistics

NO_MAPS: Mapping[str, Tensor] = MappingProxyType({})
IGNORED = -1
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_INTEGERS = (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8)


class NotFiniteError(LossError):
    """Logits that are NaN or infinite where a loss sees its first input."""


class Loss(nn.Module):
    """Base of every loss: checks the input once for all of them and leaves the formula to `compute`.

    Lower is better. Parameters are keyword-only. `required_maps` names the target maps that `compute` reads, each
    (B, C-1, *S); the reserved keys `coordinates` (B, len(S), *S) and `step` () are listed there too when needed.
    A loss with required parameters gives a valid choice of them in `example`, for the checks of `losses.contract`.
    `version` is part of the identity of what is trained with a built-in loss: raise it with a corrected formula.
    """

    required_maps: tuple[str, ...] = ()
    example: ClassVar[Mapping[str, Any]] = {}
    version: ClassVar[int] = 1

    def __init__(self) -> None:
        super().__init__()
        self._labels_checked = False
        self._compiled = False

    def compile(self) -> None:
        """Let soft counts go through `torch.compile` from the next call on, in the losses inside this one too.

        What `torch.nn.Module.compile` is for, without a compiler's view of the checks. The first call takes tens of
        seconds and needs a C++ compiler (on a GPU, Triton); values agree to rounding. Voxel losses stay as they are:
        compiled they are not faster.
        """
        self._compiled = True

    @property
    def name(self) -> str:
        """The name used in messages: that of the class's file for a built-in loss."""
        return type(self).__module__.rpartition(".")[2] if _is_built_in(type(self)) else type(self).__name__

    @property
    def class_weights(self) -> tuple[float, ...] | None:
        """One weight per class, background first, where the loss has them: recorded with what is trained."""
        return None

    def prepare(self, statistics: Statistics) -> None:
        """Take what the loss needs from the training set; called once, before step 0."""

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        """Return the loss () of input that has been checked; float32, or float64 for float64 logits."""
        raise NotImplementedError(f"{type(self).__qualname__} defines no compute()")

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        maps: Mapping[str, Tensor] = NO_MAPS,
        *,
        voxel_weight: Tensor | None = None,
    ) -> Tensor:
        """Return the scalar loss.

        logits        (B, C, *S) raw, C >= 2; any float type. S is 2D or 3D.
        labels        (B, *S) integer in 0..C-1; −1 is ignored: no weight in any count or mean, zero gradient.
        maps          the target maps of `required_maps`, each (B, C-1, *S); others are not looked at.
        voxel_weight  (B, *S) float >= 0 that multiplies every voxel's share in sums (not the number of voxels).

        Raises `LossError` for shapes and types that do not fit and for labels outside the classes. Labels are
        checked in every call on the CPU; on other devices in the first call only, because looking stalls the device.
        Logits that are NaN or infinite are refused in the first call (`NotFiniteError`); later they are a training
        that diverged, and the loss is what arithmetic makes of them.
        Autocast does not reach inside: the loss is computed in float32 (float64 for float64 logits).
        """
        self._check_shapes(logits, labels, maps, voxel_weight)
        if not self._labels_checked:
            self._check_finite(logits)
        if labels.is_cpu or not self._labels_checked:
            self._check_labels(labels, logits.shape[1])
        counting = compiled_counts() if self._compiled else nullcontext()
        with torch.autocast(logits.device.type, enabled=False), counting:
            return self.compute(logits, labels, maps, voxel_weight)

    def _check_shapes(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> None:
        if logits.ndim not in (4, 5) or logits.dtype not in _FLOATS:
            raise self._error("logits must be float (B, C, H, W) or (B, C, D, H, W)", logits)
        if logits.shape[1] < 2:
            raise self._error("logits need two or more channels; put [0, z] in place of one sigmoid channel z", logits)
        if logits.numel() == 0:
            raise self._error("logits are empty", logits)
        batch, _, *space = logits.shape
        if tuple(labels.shape) != (batch, *space):
            raise self._error(f"labels must be (B, *S) = {(batch, *space)} for logits {tuple(logits.shape)}", labels)
        if labels.dtype not in _INTEGERS:
            raise self._error("labels must be integers", labels)
        if voxel_weight is not None and tuple(voxel_weight.shape) != (batch, *space):
            raise self._error(f"voxel_weight must be (B, *S) = {(batch, *space)}", voxel_weight)
        for key in self.required_maps:
            self._check_map(key, maps, logits)

    def _check_map(self, key: str, maps: Mapping[str, Tensor], logits: Tensor) -> None:
        if key not in maps:
            raise LossError(f"{self.name}: needs the target map {key!r}; given: {', '.join(sorted(maps)) or 'none'}")
        batch, classes, *space = logits.shape
        expected = {"step": (), "coordinates": (batch, len(space), *space)}.get(key, (batch, classes - 1, *space))
        if tuple(maps[key].shape) != expected:
            raise self._error(f"map {key!r} must have shape {expected} for logits {tuple(logits.shape)}", maps[key])

    def _check_finite(self, logits: Tensor) -> None:
        wrong = logits.numel() - int(torch.count_nonzero(logits.isfinite()))
        if wrong:
            raise NotFiniteError(
                f"{self.name}: {wrong} of {logits.numel()} logits are NaN or infinite in the first call, so the "
                f"network or its input is broken before the loss; got {logits.dtype} of shape {tuple(logits.shape)}"
            )

    def _check_labels(self, labels: Tensor, classes: int) -> None:
        low, high = (int(bound) for bound in labels.aminmax())
        if low < IGNORED or high >= classes:
            raise self._error(
                f"labels must lie in 0..{classes - 1} for {classes} channels (−1 = ignored), found {low}..{high}",
                labels,
            )
        self._labels_checked = True

    def _error(self, expectation: str, given: Tensor) -> LossError:
        return LossError(f"{self.name}: {expectation}; got {given.dtype} of shape {tuple(given.shape)}")


def _is_built_in(kind: type) -> bool:
    return kind.__module__.startswith("losses.library.")
