from __future__ import annotations

import pytest
import torch
from torch import nn

from models.layers import InstanceNorm2d, InstanceNorm3d

OURS = {
    2: (InstanceNorm2d, nn.InstanceNorm2d, torch.channels_last),
    3: (InstanceNorm3d, nn.InstanceNorm3d, torch.channels_last_3d),
}


@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels last"])
@pytest.mark.parametrize("affine", [False, True], ids=["plain", "affine"])
@pytest.mark.parametrize("dims", [2, 3])
def test_normalisation_is_that_of_torch_in_value_and_gradients(dims, affine, last):
    kind, theirs, channels_last = OURS[dims]
    ours, reference = kind(5, affine=affine).double(), theirs(5, affine=affine).double()
    assert isinstance(ours, theirs)
    assert ours.state_dict().keys() == reference.state_dict().keys()
    for norm in (ours, reference):
        for parameter in norm.parameters():
            nn.init.normal_(parameter, generator=torch.Generator().manual_seed(parameter.numel()))
    x = 3 + torch.randn(2, 5, *(6, 5, 4)[:dims], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    if last:
        x = x.contiguous(memory_format=channels_last)
    found = []
    for norm in (ours, reference):
        image = x.clone().requires_grad_(True)
        norm(image).pow(3).sum().backward()
        found.append([norm(x).detach(), image.grad, *(parameter.grad for parameter in norm.parameters())])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_evaluation_normalises_by_the_image_too():
    x = torch.randn(2, 3, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    norm = InstanceNorm3d(3)
    assert torch.equal(norm.train()(x), norm.eval()(x))
