"""The parameters of a redirect, from a host's route, an address bar or a listener; of anything else, none."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

LONGEST = 16_384
"""Characters of a redirect; more is none."""
_MOST = 50
"""Parameters of one."""


def parameters(callback: Mapping[str, str] | str) -> dict[str, str]:
    """Return what a redirect says, each parameter of which may stand there once (RFC 6749, section 3.1)."""
    if isinstance(callback, str):
        return _of_url(callback.strip()) if len(callback) <= LONGEST else {}
    pairs = list(callback.items())
    is_text = all(isinstance(name, str) and isinstance(value, str) for name, value in pairs)
    return dict(pairs) if is_text and sum(len(name) + len(value) for name, value in pairs) <= LONGEST else {}


def _of_url(text: str) -> dict[str, str]:
    try:
        parts = urlsplit(text)
        pairs = parse_qsl(parts.query or parts.fragment, keep_blank_values=True, max_num_fields=_MOST)
    except ValueError:
        return {}
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}


def of_path(path: str) -> dict[str, str]:
    """Return what a request for *path* says, where it is for the root: that is where a redirect leads."""
    return parameters(path) if path.partition("?")[0] == "/" else {}
