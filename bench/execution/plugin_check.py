"""Losses and regressors of plug-in files and packages are tried before anything is trained.

Their code is a stranger's and may fail in any way; whatever it does is a reason not to train with it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class _Part:
    """A loss or a regressor of a method, and how it is made and tried.

    others   the names in it that are not built in.
    below    the class that it must be below, and how pages write that.
    attempt  its contract, for what was made.
    """

    registry: Registry[Any]
    name: str
    others: tuple[str, ...]
    make: Callable[[], Any]
    below: tuple[type[Any], str]
    attempt: Callable[[Any], None]


def check_plugins(loaded: Loaded[Suite], contract: bool) -> None:
    """See that workers will know all losses and regressors, that they can be made and, if asked for, keep the contract.

    The contract is tried with as many classes and dimensions as the suite has, on patches of a few voxels.

    Raises:
        SuiteProblems: every method whose loss or regressor cannot be used, at its place.
    """
    problems = []
    for index, method in enumerate(loaded.settings.methods):
        for part in _parts(method, loaded.settings):
            reason = _reason(part, contract)
            if reason is not None:
                problems.append(Problem(loaded.mark("methods", index, part.registry.kind), reason))
                break
    if problems:
        raise SuiteProblems(problems)


def _parts(method: MethodSettings, suite: Suite) -> Iterator[_Part]:
    """The regressor first: a loss may ask for its map."""
    classes, spatial_dims = (1 + len(suite.dataset.classes),), (len(suite.sampling.patch_size),)
    if method.regressor is not None:
        yield _regressor_part(method.regressor.specification(), classes, spatial_dims)
    if method.loss is not None:
        yield _loss_part(loss_specification(method), classes, spatial_dims)


def _regressor_part(specification: dict[str, Any], classes: tuple[int], spatial_dims: tuple[int]) -> _Part:
    name, parameters = specification["name"], {key: specification[key] for key in specification if key != "name"}

    def attempt(_: Any) -> None:
        from models.regressor_contract import check

        check(name, parameters, classes=classes, spatial_dims=spatial_dims)

    return _Part(
        models.REGRESSORS,
        name,
        others=() if models.REGRESSORS.is_built_in(name) else (name,),
        make=lambda: models.create_regressor(**specification),
        below=(models.Regressor, "models.regressor.Regressor"),
        attempt=attempt,
    )


def _loss_part(specification: dict[str, Any], classes: tuple[int], spatial_dims: tuple[int]) -> _Part:
    def attempt(loss: losses.Loss) -> None:
        from losses.contract import check

        check(loss, classes=classes, spatial_dims=spatial_dims)

    named = dict.fromkeys(losses_named(specification))
    return _Part(
        losses.LOSSES,
        specification["name"],
        others=tuple(name for name in named if not losses.LOSSES.is_built_in(name)),
        make=lambda: losses.create(**losses.resolve(specification)),
        below=(losses.Loss, "losses.Loss"),
        attempt=attempt,
    )


def _reason(part: _Part, contract: bool) -> str | None:
    """Why a part of a method cannot be used."""
    found = f"found the {part.registry.kind} {part.name!r}"
    for name in part.others:
        if _is_here_only(part.registry, name):
            return _unknown_to_workers(part.registry, name)
    try:
        made: Any = part.make()
    except (LossError, ModelError) as error:
        return str(error)
    except Exception as error:
        if not part.others:
            raise
        return f"{found}, which cannot be made: {last_line(error)}"
    if not isinstance(made, part.below[0]):
        return f"{found}, which is {type(made).__name__}; expected a class below {part.below[1]}, as {_PAGE} shows"
    for kind, _ in map(target_maps.unit_of, made.required_maps):
        if kind in target_maps.KINDS.registered() and _is_here_only(target_maps.KINDS, kind):
            return _unknown_to_workers(target_maps.KINDS, kind)
    broken = _broken(part, made) if contract and part.others else None
    return None if broken is None else f"{found}, {broken}"


def _broken(part: _Part, made: Any) -> str | None:
    """Why something does not keep its contract."""
    try:
        part.attempt(made)
    except (LossError, ModelError) as error:
        return f"which is not trained with: {error}"
    except Exception as error:  # noqa: BLE001
        file = inspect.getsourcefile(type(made))
        return f"which fails on a patch of a few voxels: {last_line(error, Path(file) if file else None)}"
    return None


def _is_here_only(registry: Registry[Any], name: str) -> bool:
    """Whether only code of this process knows it: no plug-in file, no package, not this program."""
    return not registry.is_built_in(name) and origin(registry, name) is None


def _unknown_to_workers(registry: Registry[Any], name: str) -> str:
    return (
        f"found the {registry.kind} {name!r}, which is registered in this process only, by "
        f"{locate(registry.get(name))}; a run is trained by other processes: put it into a file of its own and name "
        f"that under `plugins:`, as {_PAGE} shows"
    )
