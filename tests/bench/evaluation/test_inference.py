"""Sliding windows: what comes back is what the network says, at every voxel, whatever the volume's size."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from bench.evaluation.inference import InferenceError, predict_probabilities


def two_classes(windows):
    """Probability of the foreground = the image itself, voxel by voxel: windows must not show in the result."""
    return torch.cat([1 - windows, windows], dim=1)


def predict(segment, image, patch_size, **changes):
    settings = {"overlap": 0.5, "batch_size": 3, "device": "cpu", **changes}
    return predict_probabilities(segment, image, patch_size=patch_size, **settings)


@pytest.mark.parametrize(
    ("shape", "patch_size"),
    [((24, 21, 30), (16, 16, 16)), ((8, 40, 17), (16, 16, 16)), ((16, 16, 16), (16, 16, 16)), ((5, 6, 7), (8, 8, 8))],
)
def test_a_voxelwise_network_is_reproduced_whatever_the_size_of_the_volume(shape, patch_size):
    image = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    probabilities = predict(two_classes, image, patch_size)
    assert probabilities.shape == (2, *shape)
    assert probabilities.dtype == torch.float32
    torch.testing.assert_close(probabilities[1], image[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(probabilities.sum(0), torch.ones(shape), rtol=0, atol=1e-5)


def test_two_dimensional_images_work_the_same_way():
    image = torch.rand(1, 33, 50, generator=torch.Generator().manual_seed(0))
    probabilities = predict(two_classes, image, (16, 64))
    torch.testing.assert_close(probabilities[1], image[0], rtol=0, atol=1e-5)


def test_every_window_has_the_patch_size_and_comes_in_batches():
    shapes = []

    def segment(windows):
        shapes.append(tuple(windows.shape))
        return two_classes(windows)

    predict(segment, torch.rand(1, 10, 40), (16, 16), batch_size=2, overlap=0.25)
    assert {shape[1:] for shape in shapes} == {(1, 16, 16)}
    assert [shape[0] for shape in shapes] == [2, 1]


@pytest.mark.parametrize("batch_size", [1, 5])
def test_the_image_is_left_as_it_was(batch_size):
    image = torch.rand(2, 20, 20, generator=torch.Generator().manual_seed(0))
    before = image.clone()
    predict(lambda windows: windows, image, (8, 8), batch_size=batch_size)
    assert torch.equal(image, before)


def test_the_middle_of_a_window_weighs_more_than_its_rim():
    """Two windows of ten that overlap by half: the first says 0, the second 1."""
    answers = iter([0.0, 1.0])

    def segment(windows):
        return torch.full((1, 1, *windows.shape[2:]), next(answers))

    row = predict(segment, torch.rand(1, 10, 15), (10, 10), batch_size=1)[0, 5]
    assert row[:5].max() < 1e-6
    assert row[10:].min() > 1 - 1e-6
    assert torch.all(row[5:10].diff() > 0)
    assert row[7] == pytest.approx(0.5)


def test_probabilities_in_half_precision_are_summed_in_single_precision():
    image = torch.rand(1, 30, 30, generator=torch.Generator().manual_seed(0))
    probabilities = predict(lambda windows: two_classes(windows).to(torch.bfloat16), image, (16, 16))
    assert probabilities.dtype == torch.float32
    torch.testing.assert_close(probabilities[1], image[0].to(torch.bfloat16).float(), rtol=0, atol=1e-5)


def test_a_channels_last_network_gives_the_same_probabilities():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv3d(1, 4, 3, padding=1), torch.nn.Conv3d(4, 2, 3, padding=1)).eval()
    image = torch.rand(1, 20, 20, 20)
    usual = predict(lambda windows: network(windows).softmax(1), image, (16, 16, 16))
    network = network.to(memory_format=torch.channels_last_3d)
    last = predict(lambda windows: network(windows).softmax(1), image, (16, 16, 16))
    torch.testing.assert_close(usual, last, rtol=0, atol=1e-5)


def test_no_gradient_is_kept():
    network = torch.nn.Conv2d(1, 2, 1)
    assert not predict(lambda windows: network(windows).softmax(1), torch.rand(1, 9, 9), (8, 8)).requires_grad


def test_an_image_with_other_axes_than_the_patch_is_refused():
    with pytest.raises(InferenceError, match=r"shape \(1, 8, 8\) and patch_size is \(8, 8, 8\)"):
        predict(two_classes, torch.rand(1, 8, 8), (8, 8, 8))


def test_a_network_that_changes_the_spatial_shape_is_refused():
    with pytest.raises(InferenceError, match=r"returned shape \(1, 1, 4, 4\) for windows of shape \(1, 1, 8, 8\)"):
        predict(lambda windows: windows[..., ::2, ::2], torch.rand(1, 8, 8), (8, 8))


def test_the_first_volume_of_a_process_is_let_go_like_every_other():
    """The first call imports MONAI, which keeps the frames that it is imported from."""
    program = """
import gc, torch
from bench.evaluation.inference import predict_probabilities
def segment(windows):
    return torch.cat([windows, windows], 1)
predict_probabilities(segment, torch.zeros(1, 7, 64, 64), patch_size=(7, 8, 8), overlap=0.0, batch_size=4, device="cpu")
gc.collect()
print([tuple(o.shape) for o in gc.get_objects() if isinstance(o, torch.Tensor) and 7 in o.shape])
"""
    out = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
