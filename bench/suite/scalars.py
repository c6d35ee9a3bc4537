"""What an unquoted YAML word means: the YAML 1.2 core reading, with the words that YAML 1.1 read otherwise refused.

PyYAML follows YAML 1.1, where `1e-3` is text, `no` is false, `010` is 8 and `12:30` is 750. Here `1e-3` is a number,
and the words whose meaning differs between the two versions are errors that say what to write instead.
"""

from __future__ import annotations

import math
import re

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
YES_NO = {"yes": True, "on": True, "no": False, "off": False}
# Not y and n: PyYAML reads them as text, and axes have these names.
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_BASE = re.compile(r"[-+]?0([xob])[0-9a-fA-F_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9.]*(_[0-9.]+)+([eE][-+]?[0-9]+)?")
_MAX_DIGITS = 400


class AmbiguousScalarError(ValueError):
    """An unquoted word that YAML readers disagree about; the message says what to write instead."""


def resolve(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted word.

    Raises:
        AmbiguousScalarError: for `yes`, `no`, `on`, `off`, `None`, `010`, `0x1f`, `0o17`, `12:30`, `1_000`,
            `<<`, and numbers too large to be stored.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] in "+-.0123456789":
        return _number(text)
    _refuse_words(text)
    return text


def _number(text: str) -> str | int | float:
    if len(text) > _MAX_DIGITS and _FLOAT.fullmatch(text):
        raise AmbiguousScalarError(
            f"found a number of {len(text)} characters; write fewer digits, or quote it for text"
        )
    if _INT.fullmatch(text):
        return int(text)
    _refuse_numerals(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise AmbiguousScalarError(f'found {text}, too large for a number; write .inf, or "{text}" for text')
        return number
    special = _SPECIAL.fullmatch(text)
    if special is None:
        return text
    return math.nan if special[3] else -math.inf if special[1] == "-" else math.inf


def _refuse_numerals(text: str) -> None:
    """Refuse numerals that are octal, hexadecimal, base 60 or grouped in some YAML versions and not in others."""
    if _LEADING_ZERO.fullmatch(text):
        other = f" or {int(text, 8)}" if set(text) <= set("+-01234567") else ""
        raise _ambiguous(text, "a number with a leading zero, octal to some YAML readers", f"{int(text)}{other}")
    if base := _BASE.fullmatch(text):
        try:
            number = str(int(text, {"x": 16, "o": 8, "b": 2}[base[1]]))
        except ValueError:
            return  # such as 0b12: no numeral in any base, so plain text
        raise _ambiguous(text, "text to some YAML readers and a number to others", number)
    if _SEXAGESIMAL.fullmatch(text):
        raise _ambiguous(text, "a number in base 60 to some YAML readers", _base_60(text))
    if _UNDERSCORES.fullmatch(text) and _FLOAT.fullmatch(text.replace("_", "")):
        raise _ambiguous(text, "text to some YAML readers and a number to others", text.replace("_", ""))


def _base_60(text: str) -> str:
    total = 0.0
    for part in text.lstrip("+-").split(":"):
        total = 60 * total + float(part)
    return ("-" if text[0] == "-" else "") + f"{total:.15g}"


def _refuse_words(text: str) -> None:
    if text.lower() in YES_NO:
        meant = str(YES_NO[text.lower()]).lower()
        raise AmbiguousScalarError(
            f'found {text}, which YAML readers disagree about; write {meant}, or "{text}" for text'
        )
    if text == "None":
        raise AmbiguousScalarError('found None, which is text in YAML; write null for nothing, or "None" for text')
    if text == "<<":
        raise AmbiguousScalarError(
            "found the merge key <<; it is not part of the suite language: share settings through `extends:`, "
            "a profile or the `base:` of a matrix, or name a whole value with *alias"
        )


def _ambiguous(text: str, why: str, number: str) -> AmbiguousScalarError:
    return AmbiguousScalarError(f'found {text}, {why}; write {number} for the number, or "{text}" for text')
