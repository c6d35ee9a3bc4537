"""Class probabilities of a whole volume from overlapping windows of the training patch's size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from bench.errors import BenchError


class InferenceError(BenchError):
    """An image, a window or a network's output whose shapes do not fit together."""


def predict_probabilities(
    segment: Callable[[Tensor], Tensor],
    image: Tensor,
    *,
    patch_size: Sequence[int],
    overlap: float,
    batch_size: int,
    device: torch.device | str,
) -> Tensor:
    """Segment a whole volume window by window; where windows overlap, average them with Gaussian weights.

    p(x) = Σ_w g_w(x)·p_w(x) / Σ_w g_w(x), g_w a Gaussian on window w with σ = 1/8 of its extent.

    segment     images (B, C, *patch_size) → class probabilities (B, K + 1, *patch_size); put the network in evaluation
                mode before. Networks in channels-last memory format work as they are.
    image       (C, *S), 2D or 3D, on any device. Axes shorter than the patch are padded with 0 on both sides, and the
                result is cropped back.
    overlap     share of a window that the next one covers again, 0 to below 1.
    batch_size  windows per call of `segment`.
    device      where `segment` runs and where the result is put together.

    Returns float32 probabilities (K + 1, *S) on `device`, summed in float32 whatever `segment` computes in.
    Raises: InferenceError where the image's axes do not fit the patch or `segment` changes the spatial shape.
    Source: MONAI's `sliding_window_inference`; the blending weights are nnU-Net's (Isensee et al. 2021).
    """
    size = tuple(patch_size)
    if image.ndim - 1 != len(size):
        raise InferenceError(
            f"image has shape {tuple(image.shape)} and patch_size is {size}: expected one channel axis "
            f"and {len(size)} spatial axes"
        )

    def window_probabilities(windows: Tensor) -> Tensor:
        probabilities = segment(windows)
        if probabilities.shape[:1] + probabilities.shape[2:] != windows.shape[:1] + windows.shape[2:]:
            raise InferenceError(
                f"segment returned shape {tuple(probabilities.shape)} for windows of shape {tuple(windows.shape)}: "
                "expected the same batch and spatial axes"
            )
        # A copy, because the blending multiplies in place.
        return probabilities.to(torch.float32, copy=True)

    with torch.no_grad():
        blended = _sliding_window()(
            image[None].to(device=device, dtype=torch.float32),
            size,
            batch_size,
            window_probabilities,
            overlap=overlap,
            mode="gaussian",
        )
    result: Tensor = blended[0]
    return result


def _sliding_window() -> Callable[..., Tensor]:
    """MONAI's function, imported late because any part of MONAI loads all of it (over two seconds).

    In a thread of its own, because that import keeps the errors of optional packages, and with them the frames that
    it was called from and all their tensors.
    """
    with ThreadPoolExecutor(1) as pool:
        function: Callable[..., Tensor] = pool.submit(_import_sliding_window).result()
    return function


def _import_sliding_window() -> Callable[..., Tensor]:
    from monai.inferers.utils import sliding_window_inference

    return sliding_window_inference  # type: ignore[no-any-return]
