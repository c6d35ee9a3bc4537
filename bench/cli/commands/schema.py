"""`schema`: the JSON Schema of suites."""

from __future__ import annotations

import json


def command() -> None:
    """Print the JSON Schema of suites, for completion and checks in an editor.

    Save it and put `# yaml-language-server: $schema=suite.schema.json` on the first line of a suite.
    """
    from bench.suite.json_schema import schema
    from bench.suite.schema import Suite

    print(json.dumps(schema(Suite), indent=1))
