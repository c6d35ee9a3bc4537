"""The program `imbalance-bench`: its commands, and how errors reach the user."""

from __future__ import annotations

import sys
from contextlib import suppress

import typer

from bench.cli.commands import (
    cache,
    clean,
    cost,
    data,
    export_lits,
    losses,
    predict,
    report,
    run,
    schema,
    score,
    status,
    validate,
    work,
)
from bench.errors import BenchError, SuiteError
from bench.execution import last_words
from bench.execution.local import ERROR_MARK
from losses.errors import LossError
from models.errors import ModelError

app = typer.Typer(
    help="Compare losses for imbalanced medical image segmentation: same network, same patches, same budget.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (run, validate, report, status, clean, predict, export_lits, score, cost, schema, work):
    app.command(module.__name__.rpartition(".")[2].replace("_", "-"))(module.command)
app.add_typer(data.app, name="data")
app.add_typer(cache.app, name="cache")
app.add_typer(losses.app, name="losses")


def run_app() -> None:
    """Run the program; errors that users are meant to read are printed without a traceback."""
    try:
        app()
    except SuiteError as error:
        _fail(error, 2)
    except (BenchError, LossError, ModelError) as error:
        _fail(error, 1)


def _fail(error: Exception, code: int) -> None:
    last_words.say(str(error))
    with suppress(OSError):  # a log on a full disk
        print(f"{ERROR_MARK}{error}", file=sys.stderr)
    sys.exit(code)
