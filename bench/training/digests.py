"""Proof of equal treatment: weights as one number."""

from __future__ import annotations

import hashlib

import torch
from torch import nn


def start_digest(backbone: nn.Module) -> str:
    """SHA-256 over names and values of the backbone's parameters before the first step, its head left out.

    The head's width depends on nothing that is compared, but a regressor may change it; encoder and decoder must be
    identical for every method of a seed.
    """
    return digest_of(backbone, without="head.")


def digest_of(module: nn.Module, without: str = "\0") -> str:
    """SHA-256 over names and values of a module's parameters, those whose name begins with `without` left out."""
    digest = hashlib.sha256()
    for name, parameter in sorted(module.named_parameters()):
        if not name.startswith(without):
            digest.update(name.encode())
            digest.update(parameter.detach().to("cpu", torch.float32).contiguous().numpy().tobytes())
    return digest.hexdigest()
