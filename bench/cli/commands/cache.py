"""`cache …`: the preprocessed cases that all runs share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bench.data.cache.entries import Entry

app = typer.Typer(help="Look at the cache of preprocessed cases, and make room in it.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Look at the cache of preprocessed cases, and make room in it."""


@app.command(name="list")
def show() -> None:
    """List what the cache holds, by identity: size, last use and state."""
    from bench.data.cache.sizes import as_text
    from bench.data.cache.store import CaseCache

    cache = CaseCache.of_user()
    entries = cache.entries()
    _print(entries)
    total = sum(entry.bytes for entry in entries)
    print(f"{cache.root}: {len(entries)} entries, {as_text(total)} of {as_text(cache.limit_bytes)}")


@app.command()
def clean(
    older_than: Annotated[
        float | None,
        typer.Option("--older-than", min=0, metavar="DAYS", help="Remove what was last used before so many days."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="SIZE", help="Remove the least recently used until so much is left: 20GB."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove everything.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove entries; without options only damaged and half-written ones. What is in use always stays."""
    from bench.data.cache.choice import choose
    from bench.data.cache.sizes import as_text
    from bench.data.cache.store import CaseCache

    cache = CaseCache.of_user()
    entries = cache.entries()
    chosen = choose(entries, older_than_days=older_than, to_bytes=_size(to), everything=everything)
    busy = sum(entry.in_use for entry in entries)
    if busy:
        print(f"in use by running programs: {busy} entries, which stay")
    if not chosen:
        cache.remove(())
        print(f"{cache.root}: nothing to remove")
        return
    _print(chosen)
    if not yes:
        size = as_text(sum(entry.bytes for entry in chosen))
        typer.confirm(f"Remove these {len(chosen)} entries, {size}?", abort=True)
    removed = cache.remove(chosen)
    print(f"{cache.root}: removed {len(removed)} entries, {as_text(sum(entry.bytes for entry in removed))}")
    if len(removed) < len(chosen):
        print(f"{len(chosen) - len(removed)} came into use meanwhile and stay")


def _size(text: str | None) -> int | None:
    from bench.data.cache.sizes import parse_size

    try:
        return None if text is None else parse_size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--to") from error


def _print(entries: tuple[Entry, ...]) -> None:
    from bench.data.cache.sizes import as_text

    rows = [("entry", "size", "last used", "state")]
    for entry in entries:
        used = f"{datetime.fromtimestamp(entry.last_used):%Y-%m-%d %H:%M}"
        rows.append((entry.identity, as_text(entry.bytes), used, _state(entry)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, size, used, state in rows if entries else ():
        print(f"{name:{widths[0]}}  {size:>{widths[1]}}  {used:{widths[2]}}  {state}")


def _state(entry: Entry) -> str:
    if entry.state == "unfinished":
        return "being built" if entry.in_use else "half-written, left by a killed process"
    return entry.state + (", set aside" if entry.state == "damaged" else ", in use" if entry.in_use else "")
