"""One method, ready to take training steps and to segment, by the code that trains and scores it in a run."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from bench.cost.inputs import Inputs
from bench.execution.assembly import untrained_method
from bench.execution.scoring import Scorer
from bench.suite.methods import resolve_method
from bench.suite.schema import MethodSettings, Suite
from bench.training.loop import Training


class Contender:
    """A method on its device with its optimiser."""

    def __init__(self, suite: Suite, settings: MethodSettings, inputs: Inputs, device: torch.device) -> None:
        loss, regressor = resolve_method(settings)
        method = untrained_method(suite, loss, regressor, suite.seeds[0], inputs.train)
        if method.regressor is not None and method.regressor.pretraining is not None:
            method.regressor.freeze()  # what its weights are costs nothing
        self._inputs, self._scorer = inputs, Scorer(suite, device)
        self._batch = inputs.batch_with(method.required_maps)
        # Only single steps are taken, so nothing is validated and nothing is saved.
        self._training = Training(
            method, inputs.sampler, lambda _: {}, suite.training, Path(os.devnull), device, lambda *_, **__: None
        )
        self._method = self._training.method

    def step(self) -> None:
        """One training step on the fixed batch: copy to the device, forward, backward, step of the optimiser."""
        self._training.step(self._batch)

    def infer(self) -> None:
        """Segment the fixed volume: sliding windows, and back to the native grid."""
        self._scorer.segment(self._method, self._inputs.volume)

    @property
    def parameters_trained(self) -> int:
        """Weights that the optimiser changes."""
        return sum(parameter.numel() for parameter in self._method.parameters() if parameter.requires_grad)

    @property
    def parameters_inference(self) -> int:
        """Weights that segment an image: those of the backbone."""
        return sum(parameter.numel() for parameter in self._method.backbone.parameters())

    def forget_gradients(self) -> None:
        """Free the gradients, as a step does before it computes its own."""
        self._method.zero_grad(set_to_none=True)

    def resident_bytes(self) -> int:
        """Weights, buffers and state of the optimiser; no gradients, which a step makes anew."""
        state = (value for entry in self._training.optimiser.state.values() for value in entry.values())
        tensors = [*self._method.parameters(), *self._method.buffers(), *filter(torch.is_tensor, state)]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
