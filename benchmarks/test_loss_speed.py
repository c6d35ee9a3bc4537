"""Forward and backward of losses at B2 96³ float32, in turns with MONAI, torch and a plain copy of the logits."""

from __future__ import annotations

import ctypes
import shutil

import monai.losses
import pytest
import torch
from torch.nn import functional as F

import losses
from losses.target_maps import compute

pytestmark = pytest.mark.filterwarnings("ignore:::monai")

BATCH, SIZE = 2, 96
REGION = ("dice", "tversky", "focal_tversky", "generalized_dice", "map_dice")
AT_MOST = {2: 0.5, 4: 0.75}
COMPILED_AT_MOST = 0.35
WITHIN = 1.3
CROSS_ENTROPY_AT_MOST, FOCAL_AT_MOST = 0.7, 0.35


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's mallopt, both 128 KiB by default."""


@pytest.fixture
def memory_that_is_kept():
    """Let freed memory stay with the process: fresh pages cost as much as arithmetic, and who gets them is chance.

    Peers gain more by this than we do, as they use more memory.
    """
    libc = ctypes.CDLL(None)
    for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
        libc.mallopt(option, 1 << 30)
    yield
    for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
        libc.mallopt(option, 1 << 17)


class Scene:
    """Random logits, balls as labels (int64) and their maps; `of` makes a contender that ends at the gradient."""

    def __init__(self, classes: int) -> None:
        torch.manual_seed(0)
        self.logits = torch.randn(BATCH, classes, SIZE, SIZE, SIZE, requires_grad=True)
        grid = torch.stack(torch.meshgrid(*[torch.arange(SIZE)] * 3, indexing="ij"))
        self.labels = torch.zeros(BATCH, SIZE, SIZE, SIZE, dtype=torch.int64)
        for c in range(1, classes):
            centre = torch.tensor([24 * c, 48, 48]).view(3, 1, 1, 1)
            self.labels[:, ((grid - centre) ** 2).sum(0) <= 8**2] = c
        self.maps = {"norm_inverse": torch.stack([self._map(b, classes) for b in range(BATCH)])}

    def _map(self, b: int, classes: int) -> torch.Tensor:
        of_class = [compute("norm_inverse", (self.labels[b] == c).numpy()) for c in range(1, classes)]
        return torch.stack([torch.from_numpy(one) for one in of_class])

    def of(self, value):
        def contender():
            self.logits.grad = None
            value().backward()
            return self.logits.grad

        return contender

    def ours(self, name, *, compiled=False):
        loss = losses.create(name)
        if compiled:
            loss.compile()
        return self.of(lambda: loss(self.logits, self.labels, self.maps))

    def monai(self, kind, **options):
        loss = kind(to_onehot_y=True, **options)
        return self.of(lambda: loss(self.logits, self.labels[:, None]))

    def copy(self):
        return self.logits.detach().clone


@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("classes", [2, 4])
def test_region_losses(interleave, classes):
    """Goals: every region loss at most half of MONAI's Dice (three quarters with four classes), .35 when compiled."""
    scene = Scene(classes)
    contenders = {"MONAI Dice": scene.monai(monai.losses.DiceLoss, softmax=True), "copy": scene.copy()}
    contenders |= {name: scene.ours(name) for name in REGION}
    contenders |= {f"{name}, compiled": scene.ours(name, compiled=True) for name in REGION}
    compared = interleave(contenders)
    eager = {name: compared.ratio(name, "MONAI Dice") for name in REGION}
    compiled = {name: compared.ratio(f"{name}, compiled", "MONAI Dice") for name in REGION}
    assert max(eager.values()) <= AT_MOST[classes], eager
    assert max(compiled.values()) <= COMPILED_AT_MOST, compiled


def test_cross_entropy(interleave):
    """Goal: at most .7 of torch's own."""
    scene = Scene(2)
    compared = interleave(
        {
            "torch": scene.of(lambda: F.cross_entropy(scene.logits, scene.labels)),
            "cross_entropy": scene.ours("cross_entropy"),
            "copy": scene.copy(),
        }
    )
    assert compared.ratio("cross_entropy", "torch") <= CROSS_ENTROPY_AT_MOST


def test_focal(interleave):
    """Goal: at most .35 of MONAI's on the softmax."""
    scene = Scene(2)
    compared = interleave(
        {
            "MONAI Focal": scene.monai(monai.losses.FocalLoss, use_softmax=True, gamma=2.0, alpha=0.75),
            "focal": scene.ours("focal"),
            "copy": scene.copy(),
        }
    )
    assert compared.ratio("focal", "MONAI Focal") <= FOCAL_AT_MOST


def test_other_losses(interleave):
    """No goal: what the losses cost that have no peer here, beside MONAI's Dice and Generalized Dice."""
    scene = Scene(2)
    names = ("exp_log", "top_k", "weighted_cross_entropy", "unified_focal", "asymmetric_similarity", "lovasz")
    contenders = {
        "MONAI Dice": scene.monai(monai.losses.DiceLoss, softmax=True),
        "MONAI Generalized Dice": scene.monai(monai.losses.GeneralizedDiceLoss, softmax=True),
        "MONAI Tversky": scene.monai(monai.losses.TverskyLoss, softmax=True),
    }
    for name in names:
        loss = losses.create(name)
        loss.prepare(losses.Statistics((0.99, 0.01)))
        contenders[name] = scene.of(lambda loss=loss: loss(scene.logits, scene.labels, scene.maps))
    interleave(contenders)


@pytest.mark.usefixtures("memory_that_is_kept")
def test_region_losses_alike(interleave):
    """Goal: within 1.3 of each other, as the algebra behind the counts costs next to nothing."""
    scene = Scene(2)
    contenders = {"MONAI Dice": scene.monai(monai.losses.DiceLoss, softmax=True), "copy": scene.copy()}
    compared = interleave(contenders | {name: scene.ours(name) for name in REGION})
    ratios = {name: compared.ratio(name, "MONAI Dice") for name in REGION}
    assert max(ratios.values()) <= WITHIN * min(ratios.values()), ratios
