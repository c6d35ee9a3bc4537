"""Losses that are not built in are tried before anything is trained, those of plug-in files and of other distributions.

Their code is a stranger's and may fail in any way; whatever it does is a reason not to train with it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import losses
from bench.suite.loader import Loaded
from bench.suite.methods import loss_specification
from bench.suite.plugins import last_line, losses_named, origin
from bench.suite.problems import Problem, SuiteProblems
from bench.suite.schema import MethodSettings, Suite
from losses import LossError, target_maps
from losses.registry import Registry, locate

_PAGE = "docs/plugins.md"


def check_plugins(loaded: Loaded[Suite], contract: bool) -> None:
    """See that workers will know all losses, that they can be made and, if asked for, keep the contract of a loss.

    The contract is tried with as many classes and dimensions as the suite has, on patches of a few voxels.

    Raises:
        SuiteProblems: every method whose loss cannot be used, at its place.
    """
    problems = [
        Problem(loaded.mark("methods", index, "loss"), reason)
        for index, method in enumerate(loaded.settings.methods)
        for reason in _reasons(method, loaded.settings, contract)
    ]
    if problems:
        raise SuiteProblems(problems)


def _reasons(method: MethodSettings, suite: Suite, contract: bool) -> Iterator[str]:
    """Why a method's loss cannot be used: one reason or none."""
    if method.loss is None:
        return
    specification, found = loss_specification(method), f"found the loss {method.loss.name!r}"
    others = [name for name in dict.fromkeys(losses_named(specification)) if not losses.LOSSES.is_built_in(name)]
    for name in others:
        if _is_here_only(losses.LOSSES, name):
            yield _unknown_to_workers(losses.LOSSES, name)
            return
    try:
        loss: Any = losses.create(**losses.resolve(specification))
    except LossError as error:
        yield str(error)
        return
    except Exception as error:
        if not others:
            raise
        yield f"{found}, which cannot be made: {last_line(error)}"
        return
    if not isinstance(loss, losses.Loss):
        yield f"{found}, which is {type(loss).__name__}; expected a class below losses.Loss, as {_PAGE} shows"
        return
    for kind in loss.required_maps:
        if kind in target_maps.KINDS.registered() and _is_here_only(target_maps.KINDS, kind):
            yield _unknown_to_workers(target_maps.KINDS, kind)
            return
    if contract and others:
        yield from (f"{found}, {reason}" for reason in _broken(loss, suite))


def _broken(loss: Any, suite: Suite) -> Iterator[str]:
    from losses.contract import check

    try:
        check(loss, classes=(1 + len(suite.dataset.classes),), spatial_dims=(len(suite.sampling.patch_size),))
    except LossError as error:
        yield f"which is not trained with: {error}"
    except Exception as error:  # noqa: BLE001
        file = inspect.getsourcefile(type(loss))
        yield f"which fails on a patch of a few voxels: {last_line(error, Path(file) if file else None)}"


def _is_here_only(registry: Registry[Any], name: str) -> bool:
    """Whether only code of this process knows it: no plug-in file, no package, not this program."""
    return not registry.is_built_in(name) and origin(registry, name) is None


def _unknown_to_workers(registry: Registry[Any], name: str) -> str:
    return (
        f"found the {registry.kind} {name!r}, which is registered in this process only, by "
        f"{locate(registry.get(name))}; a run is trained by other processes: put it into a file of its own and name "
        f"that under `plugins:`, as {_PAGE} shows"
    )
