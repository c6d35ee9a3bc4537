"""`schema` prints what an editor needs; that suites fit it is tested where it is made."""

from __future__ import annotations

import json

from bench.suite.json_schema import DIALECT, schema
from bench.suite.schema import Suite


def test_the_schema_is_printed_as_json(program):
    answer = program("schema")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out) == schema(Suite)
    assert json.loads(answer.out)["$schema"] == DIALECT
