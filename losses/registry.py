"""One registry for everything that is chosen by name: losses, backbones, dataset formats.

An entry is known by name before it is imported, so that a suite can be checked and `--help` printed without torch:
built-in entries are the files of one package (file stem = name), those of other distributions are entry points.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Factory = TypeVar("Factory", bound=Callable[..., Any])

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DEVIATIONS = re.compile(r"\bDeviations?(?: [^:.\n]*)?:\s")


def nearest(word: str, options: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the option closest to `word`, or nothing where none is close."""
    close = difflib.get_close_matches(word, list(options), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


@dataclass(frozen=True)
class Description:
    """What is known of one entry: its documentation, its parameters (with defaults) and where it is defined.

    `example` holds a valid choice of the required parameters, where the entry gives one in its attribute `example`.
    """

    name: str
    summary: str
    documentation: str
    parameters: Mapping[str, inspect.Parameter]
    example: Mapping[str, Any]
    where: str

    @property
    def formula(self) -> str:
        """The paragraph of the documentation that begins with `L = `, or nothing."""
        return self._paragraph("L = ")

    @property
    def source(self) -> str:
        """What the documentation says after `Source:`, up to the deviations from it, or nothing."""
        return _DEVIATIONS.split(self._paragraph("Source: "), maxsplit=1)[0].removeprefix("Source: ").strip()

    @property
    def deviations(self) -> str:
        """What the documentation says after `Deviations:`, to the end of that paragraph, or nothing."""
        return "".join(_DEVIATIONS.split(self.documentation, maxsplit=1)[1:]).partition("\n\n")[0].strip()

    def _paragraph(self, start: str) -> str:
        paragraphs = self.documentation.split("\n\n")
        return next((text.strip() for text in paragraphs if text.startswith(start)), "")


class Registry(Generic[T]):
    """Makers of `T` by name: a class or a function that is called with keyword arguments.

    kind      what an entry is called in messages, such as "loss".
    package   dotted name of the folder of built-in entries; each file registers its own stem.
    group     entry-point group in which other distributions offer theirs (`name = module:object`).
    error     exception raised for every user mistake.
    supplied  parameters that the caller passes itself and that are therefore not the user's to set.
    """

    def __init__(
        self, kind: str, *, package: str, group: str, error: type[Exception], supplied: tuple[str, ...] = ()
    ) -> None:
        self.kind = kind
        self._package = package
        self._group = group
        self._error = error
        self._supplied = supplied
        self._registered: dict[str, Callable[..., T]] = {}
        self._points_of: tuple[tuple[str, ...], tuple[EntryPoint, ...]] | None = None

    def names(self) -> tuple[str, ...]:
        """All names, sorted. Imports no entry."""
        return tuple(sorted({*self._files(), *self._registered, *(point.name for point in self._points())}))

    def register(self, name: str) -> Callable[[Factory], Factory]:
        """Decorator that makes a class or function available as `name`.

        The same definition may register again (a notebook cell that is run twice); any other object under a taken
        name is an error that names both.
        """
        if not _NAME.fullmatch(name):
            raise self._error(
                f"{self.kind} name {name!r}: expected lower-case letters, digits and underscores, a letter first"
            )

        def decorate(factory: Factory) -> Factory:
            held = self._registered.get(name)
            if held is not None and _identity(held) != _identity(factory):
                raise self._collision(name, [locate(held), locate(factory)])
            file = self._files().get(name)
            if file is not None and factory.__module__ != f"{self._package}.{name}":
                raise self._collision(name, [str(file), locate(factory)])
            self._registered[name] = factory
            return factory

        return decorate

    def get(self, name: str) -> Callable[..., T]:
        """Return the class or function behind `name`, importing its file now."""
        found: dict[int, tuple[Callable[..., T], str]] = {}
        for factory, where in self._load(name):
            found.setdefault(id(factory), (factory, where))
        if not found:
            known = ", ".join(self.names()) or "none"
            raise self._error(f"unknown {self.kind} {name!r}.{nearest(name, self.names())} Known: {known}")
        if len(found) > 1:
            raise self._collision(name, [where for _, where in found.values()])
        return next(iter(found.values()))[0]

    def version(self, name: str) -> int:
        """The `version` of the class behind `name`, which is raised when the same parameters give other values."""
        return int(getattr(self.get(name), "version", 1))

    def create(self, name: str, **parameters: Any) -> T:
        """Make one: unknown and missing parameters are refused before the entry is called."""
        self.check(name, [key for key in parameters if key not in self._supplied])
        return self.get(name)(**parameters)

    def parameters(self, name: str) -> dict[str, inspect.Parameter]:
        """The user's parameters in the order of the signature; `Parameter.empty` as default means required."""
        signature = inspect.signature(self.get(name))
        named = {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
        return {
            key: parameter
            for key, parameter in signature.parameters.items()
            if parameter.kind in named and key not in self._supplied
        }

    def check(self, name: str, given: Iterable[str]) -> None:
        """Raise if `given` holds a parameter that `name` does not have, or lacks one that it needs."""
        parameters = self.parameters(name)
        passed = set(given)
        allowed = ", ".join(parameters) or "none"
        refused = passed & set(self._supplied) if self._takes_any(name) else passed - set(parameters)
        for key in sorted(refused):
            hint = " It is set for you." if key in self._supplied else nearest(key, parameters)
            raise self._error(f"{self.kind} {name!r} has no parameter {key!r}.{hint} Allowed: {allowed}")
        missing = [key for key, p in parameters.items() if p.default is p.empty and key not in passed]
        if missing:
            needed = ", ".join(map(repr, missing))
            raise self._error(f"{self.kind} {name!r} needs the parameter {needed}. Allowed: {allowed}")

    def resolve(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters with defaults filled in; raises as `check` does.

        A whole number given for a float parameter becomes that float, so that `1` and `1.0` are one thing. An entry
        whose parameters hold other entries, or follow from each other, says so in a class method
        `resolve_parameters(parameters) -> parameters`.
        """
        self.check(name, given)
        defaults = {key: parameter.default for key, parameter in self.parameters(name).items()}
        resolved = {key: _like(defaults.get(key), value) for key, value in {**defaults, **given}.items()}
        refine = getattr(self.get(name), "resolve_parameters", None)
        return resolved if refine is None else dict(refine(resolved))

    def is_built_in(self, name: str) -> bool:
        """Whether `name` is a file of this registry's own package."""
        return name in self._files()

    def distribution(self, name: str) -> str | None:
        """Name and version of the distribution whose entry point `name` is, or None. Imports nothing."""
        return next((_distribution(point) for point in self._points() if point.name == name), None)

    def registered(self) -> dict[str, Callable[..., T]]:
        """What code that ran in this process has registered, built-in files included."""
        return dict(self._registered)

    def withdraw(self, name: str) -> None:
        """Forget what code registered as `name`; another definition may then take the name."""
        del self._registered[name]

    def describe(self, name: str) -> Description:
        """Documentation, parameters and place of `name`."""
        factory = self.get(name)
        text = inspect.getdoc(factory) or ""
        example = getattr(factory, "example", {})
        return Description(name, text.partition("\n")[0], text, self.parameters(name), example, locate(factory))

    def _takes_any(self, name: str) -> bool:
        kinds = [parameter.kind for parameter in inspect.signature(self.get(name)).parameters.values()]
        return inspect.Parameter.VAR_KEYWORD in kinds

    def _files(self) -> dict[str, Path]:
        """Built-in entries: name → file, read off the folder."""
        spec = importlib.util.find_spec(self._package)
        folders = spec.submodule_search_locations if spec is not None else None
        files = [file for folder in folders or () for file in Path(folder).glob("*.py")]
        return {file.stem: file for file in files if not file.stem.startswith("_")}

    def _points(self) -> tuple[EntryPoint, ...]:
        """Entries of other distributions; read anew only when the import path changes, since reading takes ms."""
        path = tuple(sys.path)
        if self._points_of is None or self._points_of[0] != path:
            self._points_of = path, tuple(entry_points(group=self._group))
        return self._points_of[1]

    def _load(self, name: str) -> list[tuple[Callable[..., T], str]]:
        """Everything that answers to `name`, with its place."""
        loaded: list[tuple[Callable[..., T], str]] = []
        file = self._files().get(name)
        if file is not None and name not in self._registered:
            importlib.import_module(f"{self._package}.{name}")
            if name not in self._registered:
                raise self._error(f"{file} registers no {self.kind} named {name!r}: its stem must be a registered name")
        for point in self._points():
            if point.name == name:
                factory = self._load_point(point)
                loaded.append((factory, f"{locate(factory)}, entry point of {_distribution(point)}"))
        if name in self._registered:
            loaded.append((self._registered[name], locate(self._registered[name])))
        return loaded

    def _load_point(self, point: EntryPoint) -> Callable[..., T]:
        source = f"entry point {point.name!r} = {point.value!r} of {_distribution(point)}"
        try:
            factory = point.load()
        except Exception as error:
            raise self._error(f"{self.kind} {point.name!r}: {source} cannot be loaded: {error!r}") from error
        if not callable(factory):
            raise self._error(f"{self.kind} {point.name!r}: {source} is {factory!r}; expected a class or a function")
        made: Callable[..., T] = factory
        return made

    def _collision(self, name: str, places: list[str]) -> Exception:
        listed = " and ".join(places)
        return self._error(f"{self.kind} {name!r} is defined twice: by {listed}; rename one of them")


def locate(factory: object) -> str:
    """`module.Name (file)` of a class or function, for messages."""
    module = getattr(factory, "__module__", "?")
    name = getattr(factory, "__qualname__", repr(factory))
    try:
        file = inspect.getsourcefile(factory) or "file unknown"  # type: ignore[arg-type]
    except (TypeError, OSError):
        file = "file unknown"
    return f"{module}.{name} ({file})"


def _like(default: object, value: object) -> object:
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _identity(factory: object) -> tuple[str, str]:
    return getattr(factory, "__module__", ""), getattr(factory, "__qualname__", repr(factory))


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown distribution"
