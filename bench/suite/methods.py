"""What a method of a suite is when every name and default is spelled out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import losses
import models
from bench.errors import SuiteError
from bench.suite.schema import MethodSettings, StartSettings, Suite
from losses import LossError
from models import ModelError

OF_THE_REGRESSOR = "same_as_regressor"
"""Stands in a loss's parameters for the map that its method's regressor has."""

CONTROL = "{}-continued"
"""Id of the control of what is started from a method."""

CODE_LEARNING_RATE = 1e-5
"""Of the scripts of Li et al. 2021 that join LR-Net to a trained network (`new_Gt_MapDicecascadeL1.py`)."""


class Resolved(NamedTuple):
    """`{name, **parameters}` of the loss and of the regressor, defaults filled in; one of the two may be missing."""

    loss: dict[str, Any] | None
    regressor: dict[str, Any] | None


def resolve_method(method: MethodSettings) -> Resolved:
    """Fill in every default, and the regressor's map where the loss asks for it.

    Raises:
        LossError, ModelError: for unknown names and parameters and for values outside their domain.
    """
    regressor = None if method.regressor is None else models.resolve_regressor(method.regressor.specification())
    loss = None if method.loss is None else losses.resolve(loss_specification(method))
    return Resolved(loss, regressor)


def loss_specification(method: MethodSettings) -> dict[str, Any]:
    """The loss as written, with the map of the method's regressor where it asks for it.

    A regressor that cannot be made is another's to report, and leaves the loss as it is.
    """
    assert method.loss is not None
    specification = method.loss.specification()
    if method.regressor is None:
        return specification
    try:
        kind = models.create_regressor(**method.regressor.specification()).map
    except ModelError:
        return specification
    return {key: _with_map(value, kind) for key, value in specification.items()}


def _with_map(value: Any, kind: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_map(item, kind) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_map(item, kind) for item in value]
    return kind if value == OF_THE_REGRESSOR else value


def laid_out(suite: Suite) -> Suite:
    """The suite with the warm starts of its protocol, and a control for every start.

    Raises:
        ValueError: the protocol starts from a baseline, and the suite has none.
    """
    return with_controls(_with_starts(suite))


def _with_starts(suite: Suite) -> Suite:
    if suite.training.protocol != "code":
        return suite
    if suite.baseline is None:
        raise ValueError("protocol 'code' starts from the baseline's weights; name its method in `baseline:`")
    start = StartSettings(from_=suite.baseline, learning_rate=CODE_LEARNING_RATE)
    methods = (
        method.model_copy(update={"start": start}) if method.start is None and _is_pretrained(method) else method
        for method in suite.methods
    )
    return suite.model_copy(update={"methods": tuple(methods)})


def _is_pretrained(method: MethodSettings) -> bool:
    if method.regressor is None:
        return False
    try:
        return models.create_regressor(**method.regressor.specification()).pretraining is not None
    except ModelError:  # reported where parameters are checked
        return False


def with_controls(suite: Suite) -> Suite:
    """The suite with a control behind every method that others start from: the same, continued for as many steps.

    What is started from another cell has had twice the steps, so it can only be compared with that. A method of the
    suite that already is the control of a start is taken for it.

    Raises:
        SuiteError: another method has the id of a control.
    """
    methods = list(suite.methods)
    for method in suite.methods:
        if method.start is None:
            continue
        first = next(one for one in suite.methods if one.id == method.start.from_)
        control = control_of(first, method.start)
        if _same(suite, methods, control) is None:
            taken = next((one.id for one in methods if one.id.casefold() == control.id.casefold()), None)
            if taken is not None:
                raise SuiteError(
                    f"methods: the method id {taken!r} is taken by the control of {method.id!r}, which is {first.id!r} "
                    "continued; give that row another id"
                )
            last = max(index for index, one in enumerate(methods) if one.start and one.start.from_ == first.id)
            methods.insert(last + 1, control)
    return suite.model_copy(update={"methods": tuple(methods)})


def control_of(first: MethodSettings, start: StartSettings) -> MethodSettings:
    """A method continued from its own cell by its own loss."""
    rate = "" if start.learning_rate is None else f" at {start.learning_rate:g}"
    return first.model_copy(
        update={
            "id": CONTROL.format(first.id) + ("" if start.learning_rate is None else f"-{start.learning_rate:g}"),
            "label": f"{first.title}, continued{rate} (ours: control)",
            "start": start,
            "reported": None,
        }
    )


def with_their_controls(suite: Suite, ids: Collection[str]) -> set[str]:
    """Ids of methods, and of the controls that those among them need which are started from others."""
    by_id = {method.id: method for method in suite.methods}
    chosen = [by_id[identity] for identity in ids]
    controls = (control_of(by_id[one.start.from_], one.start) for one in chosen if one.start is not None)
    found = (_same(suite, suite.methods, control) for control in controls)
    return {*ids, *(control.id for control in found if control is not None)}


def _same(suite: Suite, methods: Iterable[MethodSettings], wanted: MethodSettings) -> MethodSettings | None:
    """The method that trains what `wanted` trains, whatever it is called and whether defaults are written out."""
    content = _content(suite, wanted)
    return next((method for method in methods if _content(suite, method) == content), None)


def _content(suite: Suite, method: MethodSettings) -> Any:
    start = method.start and (method.start.from_, method.start.rate(suite.training))
    try:
        return *resolve_method(method), start
    except (LossError, ModelError):  # reported where parameters are checked
        return method.model_dump(exclude={"id", "label", "reported"})
