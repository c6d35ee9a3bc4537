"""What a network's patch must be a multiple of, found by trying: layers run on shapes alone, without data."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from models.errors import ModelError

_CANDIDATES = (1, 2, 4, 8, 16, 32, 64)
_LARGE = 96  # above any network's smallest size, so that a refusal means "not a multiple" and not "too small"


def find_patch_divisor(
    name: str, network: nn.Module, in_channels: int, classes: int, spatial_dims: int
) -> tuple[int, ...]:
    """Return the least power of two per axis at which the network gives logits of the image's shape.

    Raises `ModelError` where no size up to 64 works, with the last refusal of the network.
    """
    shadow = copy.deepcopy(network).to("meta").train()  # training shows the extra outputs of deep supervision
    divisor = []
    for axis in range(spatial_dims):
        refusal = ""
        for candidate in _CANDIDATES:
            space = [192] * spatial_dims
            space[axis] = _odd_multiple(candidate)
            image = torch.empty((1, in_channels, *space), device="meta")
            refusal = _refusal(name, shadow, image, classes)
            if not refusal:
                divisor.append(candidate)
                break
        else:
            raise ModelError(
                f"{name}: no patch size was found that the network maps to logits of the same size "
                f"(last answer: {refusal}). Switch deep supervision and other extra outputs off, or give patch_divisor"
            )
    return tuple(divisor)


def _odd_multiple(divisor: int) -> int:
    """A size that `divisor` divides and twice `divisor` does not."""
    times = -(-_LARGE // divisor)
    return divisor * (times + 1 - times % 2)


def _refusal(name: str, network: nn.Module, image: Tensor, classes: int) -> str:
    """Why the network does not map this image to logits of its size; empty where it does."""
    try:
        with torch.no_grad():
            output = network(image)
    except ImportError as error:
        raise ModelError(f"{name}: an optional package is missing: {str(error).splitlines()[0]}") from error
    except (RuntimeError, ValueError, AssertionError, IndexError) as error:
        return f"{type(error).__name__}: {error}"
    return describe_mismatch(output, (1, classes, *image.shape[2:]))


def sole_output(output: object) -> object:
    """The one element of a list of one, which some networks return; anything else as it is."""
    return output[0] if isinstance(output, list | tuple) and len(output) == 1 else output


def describe_mismatch(output: object, expected: tuple[int, ...]) -> str:
    """What is returned where one tensor of the expected shape should be; empty where it is that."""
    output = sole_output(output)
    if isinstance(output, Tensor):
        return "" if tuple(output.shape) == expected else f"a tensor {tuple(output.shape)}, expected {expected}"
    size = f" of {len(output)}" if isinstance(output, list | tuple) else ""
    return f"a {type(output).__name__}{size}, expected one tensor {expected}"
