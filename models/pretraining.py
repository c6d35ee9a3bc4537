"""The stage in which a regressor learns its map from reference masks alone."""

from __future__ import annotations

from torch import Tensor, nn

from models.method import Batch, Method
from models.regression_error import smooth_l1
from models.regressor import Regressor
from models.term import Term


class Pretraining(Method):
    """A method without backbone: reference masks in, their maps out, smooth L1 over all voxels.

    Trained by the same loop and on the same patches as the methods that will have the regressor, so that it sees the
    masks that they see, lesion-free ones included. Images are not looked at. The loss that training minimises is the
    authors' mean over voxels, whatever reduction the regressor has later.

    Source: Li et al. 2021, `new_Gt_MapNet.py`. Deviation: the patch stream is that of the joint stage.
    """

    def __init__(self, regressor: Regressor) -> None:
        nn.Module.__init__(self)
        self.loss = None
        self.regressor = regressor
        self._values = None

    @property
    def required_maps(self) -> tuple[str, ...]:
        assert self.regressor is not None
        return self.regressor.required_maps

    def training_terms(self, batch: Batch) -> dict[str, Term]:
        return {"regression": Term(self.error(batch), 1.0)}

    def error(self, batch: Batch) -> Tensor:
        """Return the mean smooth L1 () between what is regressed from the labels and the map."""
        assert self.regressor is not None
        (kind,) = self.required_maps
        return smooth_l1(self.regressor.reconstruct(batch.labels), batch.maps[kind], batch.labels)
