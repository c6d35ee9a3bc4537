"""The one base of every error that a user of the harness is meant to read."""

from __future__ import annotations


class BenchError(Exception):
    """An error whose message is complete: what was given, what was expected, where, and what to do."""


class DataError(BenchError):
    """A case, file or dataset that cannot be used as it is; the message names the case id and the path."""


class SuiteError(BenchError):
    """A suite that cannot be run as written; the message carries file:line:column."""


class StorageError(BenchError):
    """Something that could not be written; the message names path, cause, bytes needed and free, and what to do."""


class VanishedError(StorageError):
    """The folder that something was to be written to is not there any more."""


class RunError(BenchError):
    """A run directory that is missing, foreign, damaged or in use."""
