"""Probe: the contract that every loss keeps, as tests and the loading of plug-ins check it."""

from __future__ import annotations

from losses import contract
from losses.self_check.finding import Finding
from losses.self_check.subject import Subject


def probe(subject: Subject) -> Finding:
    """Run `losses.contract.check`, which also covers three classes, 2D, label −1 and memory layouts."""
    says, broken = "All promises of the contract are kept.", ""
    try:
        contract.check(subject.loss)
    except contract.ContractError as error:
        says = broken = str(error)
    return Finding(
        probe="contract",
        ran="losses.contract.check: two and three classes, 2D and 3D, label −1, types, memory layouts, bad input",
        outcome="broken" if broken else "ok",
        says=(says,),
        data={"broken": broken},
    )
