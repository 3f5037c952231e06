"""The JSON Schemas that the fake Graph is held to, made by npm's ts-json-schema-generator of Microsoft's types."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@functools.cache
def published() -> Mapping[str, Mapping[str, Any]]:
    """Return a schema for the body of each step, for `FakeGraph(schema=published())`.

    Raises:
        FileNotFoundError: Node or the packages are missing.
    """
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules").exists():
        raise FileNotFoundError(
            "Microsoft's types are read by Node: run .ci/install-servers, or npm ci in tests/graph."
        )
    done = subprocess.run([node, HERE / "schema.mjs"], capture_output=True, check=True, timeout=100)
    return json.loads(done.stdout)
