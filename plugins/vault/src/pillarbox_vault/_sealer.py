"""AES-GCM over one secret, bound to associated octets; each sealed value names the key it was sealed with."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping

import attrs

VERSION = b"\x01"
KEY_ID_OCTETS = 8
NONCE_OCTETS = 12
"""Random, 96 bits (NIST SP 800-38D 8.2.2): a key seals far fewer than 2**32 values before it is rotated."""


def encrypt(key: bytes, secret: bytes, associated: bytes) -> bytes:
    """Return nonce, cipher text and tag of *secret*."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_OCTETS)
    return nonce + AESGCM(key).encrypt(nonce, secret, associated)


def decrypt(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    """Return the secret.

    Raises:
        ValueError: Another key, other associated octets, or tampering.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:NONCE_OCTETS], sealed[NONCE_OCTETS:], associated)
    except (InvalidTag, ValueError):
        problem = "it can't be opened"
    raise ValueError(problem)


@attrs.frozen
class Keys:
    """The vault's own keys, by id; the newest seals, older ones still open."""

    current: bytes
    by_id: Mapping[bytes, bytes] = attrs.field(repr=False)

    @classmethod
    def fresh(cls, older: Mapping[bytes, bytes] | None = None) -> Keys:
        """Return *older* keys with a new one that seals."""
        new = os.urandom(KEY_ID_OCTETS)
        return cls(new, {**(older or {}), new: os.urandom(32)})

    def only_current(self) -> Keys:
        """Return these keys without those that no longer seal."""
        return Keys(self.current, {self.current: self.by_id[self.current]})

    def packed(self) -> bytes:
        """Return them as octets, to be wrapped."""
        keys = {name.hex(): base64.b64encode(key).decode() for name, key in self.by_id.items()}
        return json.dumps({"current": self.current.hex(), "keys": keys}).encode()

    @classmethod
    def unpacked(cls, octets: bytes) -> Keys:
        """Return what `packed` packed."""
        found = json.loads(octets)
        keys = {bytes.fromhex(name): base64.b64decode(key) for name, key in found["keys"].items()}
        return cls(bytes.fromhex(found["current"]), keys)

    def seal(self, secret: bytes, associated: bytes) -> bytes:
        """Return *secret* sealed with the newest key."""
        return VERSION + self.current + encrypt(self.by_id[self.current], secret, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Return the secret.

        Raises:
            ValueError: It can't be opened.
        """
        head = len(VERSION) + KEY_ID_OCTETS
        key = self.by_id.get(sealed[len(VERSION) : head])
        if sealed[: len(VERSION)] != VERSION or key is None:
            raise ValueError("it was sealed with a key that is not here")
        return decrypt(key, sealed[head:], associated)

    def sealed_with_current(self, sealed: bytes) -> bool:
        """Whether the newest key sealed it."""
        return sealed.startswith(VERSION + self.current)
