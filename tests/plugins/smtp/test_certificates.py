"""A certificate's names and dates are read from its octets, and noise is refused."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox_smtp.certificates import Certificate
from tests.plugins.smtp.issuing import DAY, NOW, Issued, issue

_NAMES = ("mail.acme.example", "*.acme.example", "192.0.2.1", "2001:db8::1")


@pytest.fixture(scope="module")
def issued() -> Issued:
    """A certificate for several names."""
    return issue(names=_NAMES)


def test_names_dates_and_fingerprint(issued: Issued) -> None:
    """What cryptography wrote is what is read."""
    read = Certificate.read(issued.der)
    assert read == (
        _NAMES,
        issued.certificate.not_valid_before_utc,
        issued.certificate.not_valid_after_utc,
        issued.fingerprint,
    )


def test_common_name_stands_in() -> None:
    """Without alternative names the common name is told."""
    assert Certificate.read(issue(names=(), common_name="mäil.acme.example").der).names == (
        "mäil.acme.example",
    )


def test_dates_after_2049() -> None:
    """Later dates are written in another form (RFC 5280 4.1.2.5)."""
    end = dt.datetime(2051, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert Certificate.read(issue(not_after=end).der).not_after == end


@pytest.mark.parametrize(
    ("names", "shown"),
    [((), "nobody"), (("a", "b", "c"), "a, b, c"), (("a", "b", "c", "d", "e"), "a, b, c and 2 more")],
)
def test_shown_names(names: tuple[str, ...], shown: str) -> None:
    """A long list is cut for the sentence."""
    assert Certificate(names, NOW, NOW, "").shown_names == shown


def test_days_left(issued: Issued) -> None:
    """Whole days until it expires."""
    read = Certificate.read(issued.der)
    assert (read.days_left(NOW), read.days_left(NOW + 91 * DAY)) == (90, -1)


@given(st.binary(max_size=80))
def test_noise_is_no_certificate(noise: bytes) -> None:
    """Noise is refused with the one error that is told."""
    with pytest.raises(ValueError):
        Certificate.read(noise)


@given(st.data())
def test_damage_is_read_or_refused(issued: Issued, data: st.DataObject) -> None:
    """A damaged certificate is read or refused with that error, never anything else."""
    octets = bytearray(issued.der)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    try:
        read = Certificate.read(bytes(octets[:cut]))
    except ValueError:
        return
    assert isinstance(read.names, tuple)
