"""Every loss that can be chosen by name keeps the contract, those of other distributions included."""

from __future__ import annotations

import pytest
import torch

import losses
from losses.base import Loss
from losses.contract import ContractError, check
from losses.region import RegionLoss


def make(name: str) -> Loss:
    return losses.create(name, **losses.describe(name).example)


@pytest.mark.parametrize("name", losses.available())
def test_every_registered_loss_keeps_the_contract(name):
    check(make(name))
