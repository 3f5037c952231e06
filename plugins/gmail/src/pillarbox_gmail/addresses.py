"""Addresses as Google and people write them. Pure."""

from __future__ import annotations

from pillarbox import Address, MessageError


def is_address(value: str) -> bool:
    """Whether *value* is one address."""
    try:
        _ = Address(value)
    except MessageError:
        return False
    return True


def same(one: str, other: str) -> bool:
    """Whether both are one mailbox at Google, where the case of the local part does not count."""
    return is_address(one) and is_address(other) and Address(one.lower()).same_mailbox(other.lower())
