"""Google's discovery document of the Gmail API, as its Python client ships it."""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path
from typing import Any


@functools.cache
def discovery() -> dict[str, Any]:
    """Return the document; not to be changed, since all tests share it.

    Raises:
        FileNotFoundError: google-api-python-client is not installed.
    """
    found = importlib.util.find_spec("googleapiclient")
    if found is None or found.origin is None:
        raise FileNotFoundError("pip install google-api-python-client: the tests read its gmail.v1.json.")
    path = Path(found.origin).with_name("discovery_cache") / "documents/gmail.v1.json"
    return json.loads(path.read_text("utf-8"))
