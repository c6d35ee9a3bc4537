"""Losses and regressors of plug-in files and packages are tried before anything is trained.

Their code is a stranger's and may fail in any way; whatever it does is a reason not to train with it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import losses
import models
from bench.suite.loader import Loaded
from bench.suite.methods import loss_specification
from bench.suite.plugins import last_line, losses_named, origin
from bench.suite.problems import Problem, SuiteProblems
from bench.suite.schema import MethodSettings, Suite
from losses import LossError, target_maps
from losses.registry import Registry, locate
from models import ModelError

_PAGE = "docs/plugins.md"


def check_plugins(loaded: Loaded[Suite], contract: bool) -> None:
    """See that workers will know all losses and regressors, that they can be made and, if asked for, keep the contract.

    The contract is tried with as many classes and dimensions as the suite has, on patches of a few voxels.

    Raises:
        SuiteProblems: every method whose loss or regressor cannot be used, at its place.
    """
    problems = []
    for index, method in enumerate(loaded.settings.methods):
        # The regressor first: a loss may ask for its map.
        for part, reasons in (("regressor", _of_regressor), ("loss", _of_loss)):
            reason = next(reasons(method, loaded.settings, contract), None)
            if reason is not None:
                problems.append(Problem(loaded.mark("methods", index, part), reason))
                break
    if problems:
        raise SuiteProblems(problems)


def _of_loss(method: MethodSettings, suite: Suite, contract: bool) -> Iterator[str]:
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
    if unknown := _unknown_map(loss.required_maps):
        yield unknown
    elif contract and others:
        yield from (f"{found}, {reason}" for reason in _broken(type(loss), lambda: _try_loss(loss, suite)))


def _of_regressor(method: MethodSettings, suite: Suite, contract: bool) -> Iterator[str]:
    """Why a method's regressor cannot be used: one reason or none; wrong parameters of our own are found elsewhere."""
    if method.regressor is None:
        return
    name, found = method.regressor.name, f"found the regressor {method.regressor.name!r}"
    if _is_here_only(models.REGRESSORS, name):
        yield _unknown_to_workers(models.REGRESSORS, name)
        return
    try:
        regressor: Any = models.create_regressor(**method.regressor.specification())
    except ModelError as error:
        yield str(error)
        return
    except Exception as error:
        if models.REGRESSORS.is_built_in(name):
            raise
        yield f"{found}, which cannot be made: {last_line(error)}"
        return
    if not isinstance(regressor, models.Regressor):
        kind = type(regressor).__name__
        yield f"{found}, which is {kind}; expected a class below models.regressor.Regressor, as {_PAGE} shows"
        return
    if unknown := _unknown_map(regressor.required_maps):
        yield unknown
    elif contract and not models.REGRESSORS.is_built_in(name):
        yield from (f"{found}, {reason}" for reason in _broken(type(regressor), lambda: _try_regressor(method, suite)))


def _unknown_map(names: Iterable[str]) -> str | None:
    """Why workers would not know one of these target maps; None where they know all."""
    kinds = (target_maps.unit_of(name)[0] for name in names)
    here = (kind for kind in kinds if kind in target_maps.KINDS.registered() and _is_here_only(target_maps.KINDS, kind))
    return next((_unknown_to_workers(target_maps.KINDS, kind) for kind in here), None)


def _try_loss(loss: losses.Loss, suite: Suite) -> None:
    from losses.contract import check

    check(loss, classes=(1 + len(suite.dataset.classes),), spatial_dims=(len(suite.sampling.patch_size),))


def _try_regressor(method: MethodSettings, suite: Suite) -> None:
    from models.regressor_contract import check

    assert method.regressor is not None
    parameters = method.regressor.specification()
    classes, dims = 1 + len(suite.dataset.classes), len(suite.sampling.patch_size)
    check(parameters.pop("name"), parameters, classes=(classes,), spatial_dims=(dims,))


def _broken(kind: type, attempt: Callable[[], None]) -> Iterator[str]:
    """Why something does not keep its contract: one reason or none."""
    try:
        attempt()
    except (LossError, ModelError) as error:
        yield f"which is not trained with: {error}"
    except Exception as error:  # noqa: BLE001
        file = inspect.getsourcefile(kind)
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
