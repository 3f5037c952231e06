"""What is kept of a connection."""

from __future__ import annotations

import base64
import json
import time

import pytest

from pillarbox import SignInNeeded
from pillarbox_m365.tokens import Kept, claims_of

CACHE = json.dumps(
    {"AccessToken": {"a": {"secret": "x"}}, "IdToken": {"b": {}}, "RefreshToken": {"c": {"secret": "r"}}}
)


def test_it_comes_back_as_it_was() -> None:
    """Through octets."""
    kept = Kept(scopes={"send": ("Mail.Send",)}).taken("send", {"access_token": "t", "expires_in": 60}, CACHE)
    assert Kept.opened(kept.sealed()) == kept


def test_a_token_is_held_for_its_purpose() -> None:
    """Until it ends."""
    kept = Kept().taken("send", {"access_token": "t", "expires_in": 60}, CACHE)
    held = kept.held("send")
    assert held is not None
    assert held.token == "t"
    assert 0 < held.expires_at - time.time() <= 60
    assert kept.held("smtp") is None


def test_of_the_cache_only_what_is_needed_again_is_kept() -> None:
    """The refresh token, and whose it is."""
    kept = Kept().taken("send", {"access_token": "t"}, CACHE)
    assert json.loads(kept.cache) == {"RefreshToken": {"c": {"secret": "r"}}}


def test_it_shows_no_secret() -> None:
    """Not in its representation."""
    kept = Kept().taken("send", {"access_token": "canary-token"}, CACHE)
    assert "canary" not in repr(kept)
    assert "RefreshToken" not in repr(kept)


@pytest.mark.parametrize(
    "octets", [b"", b"[]", b"{}", b'{"scopes": 1}', b'{"scopes": {}, "tokens": {"a": 1}}', b"\xff"]
)
def test_what_it_is_not(octets: bytes) -> None:
    """Somebody connects again."""
    with pytest.raises(SignInNeeded, match="can't be read"):
        Kept.opened(octets)


def test_claims_of_what_is_none() -> None:
    """An access token may be anything."""
    claims = base64.urlsafe_b64encode(b'{"roles": ["Mail.Send"]}').decode().rstrip("=")
    assert claims_of(f"h.{claims}.s") == {"roles": ["Mail.Send"]}
    assert [claims_of(one) for one in ("", "opaque", "a.b.c", "a.W10.c", "a.é.c")] == [{}] * 5
