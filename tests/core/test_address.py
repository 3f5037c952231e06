"""Addresses: what is one, what it is on the wire, and what is refused."""

from __future__ import annotations

import copy
import email.utils
import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pillarbox import Address, MessageError
from pillarbox._address import addresses, ascii_domain, comparable, printable, shown_domain
from tests.core import messages
from tests.core.messages import patient

CONTROLS = [
    "\r",
    "\n",
    "\r\n",
    "\0",
    "\t",
    "\x0b",
    "\x0c",
    "\x1b",
    "\x7f",
    "\x85",
    "\u2028",
    "\u2029",
    "\ud800",
]


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example",
        "anna.berg+orders@acme.example",
        "o'neil!#$%&*/=?^_`{|}~-@acme.example",
        "anna@localhost",
        '"a b"@acme.example',
        '"a@b"@acme.example',
        r'"a\"b\\c"@acme.example',
        '""@acme.example',
        "jörg@acme.example",
        "用户@例え.example",
        "anna@[192.0.2.1]",
        "anna@[IPv6:2001:db8::1]",
        "anna@xn--bcher-kva.example",
        "1@2.example",
        f"{'a' * 64}@acme.example",
    ],
)
def test_an_address_of_every_form_is_taken_as_it_is(address: str) -> None:
    """Atoms, quoted strings, literals, other alphabets: none is changed."""
    assert Address(address).address == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@acme.example",
        "anna@",
        "anna berg@acme.example",
        ".anna@acme.example",
        "anna.@acme.example",
        "an..na@acme.example",
        "a@b@c.example",
        "a@b.example, c@d.example",
        "a@b.example;c@d.example",
        "a@b.example c@d.example",
        "<a@b.example>",
        "anna(comment)@acme.example",
        'an"na@acme.example',
        '"anna@acme.example',
        "anna@acme..example",
        "anna@acme.example.",
        "anna@.example",
        "anna@-acme.example",
        "anna@acme_shop.example",
        "anna@acme.example> SIZE=1",
        "anna@ acme.example",
        "anna@[192.0.2.256]",
        "anna@[192.0.2.1",
        "anna@[IPv6:fe80::1%eth0]",
        "anna@[IPv6:fe80::1%> SIZE=1]",
        "anna@[2001:db8::1]",
        "anna@☃.example",
        "anna@\u00a0acme.example",
        "an\u00a0na@acme.example",
        f"{'a' * 65}@acme.example",
        f"{'ü' * 33}@acme.example",
        f"a@{'b' * 64}.example",
        f"a@{'.'.join(['b' * 60] * 5)}",
        f"a@{'ü' * 60}.example",
    ],
)
def test_what_is_not_one_address_is_refused(address: str) -> None:
    """Nothing is repaired, cut or split: a changed address is somebody else's."""
    with pytest.raises(MessageError):
        Address(address)


@pytest.mark.parametrize("value", [None, 5, b"a@b.example", ["a@b.example"]])
def test_what_is_no_text_is_refused_with_its_type(value: object) -> None:
    """A host that passes the wrong thing reads what it passed."""
    with pytest.raises(MessageError, match="not"):
        Address(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize(
    "place", ["an{}na@acme.example", "anna@ac{}me.example", "anna@acme.example{}", "{}a@b.example"]
)
def test_a_control_character_is_refused_anywhere(place: str, control: str) -> None:
    """Rule 32, wherever in the address it stands."""
    with pytest.raises(MessageError):
        Address(place.format(control))
    with pytest.raises(MessageError):
        Address.parse(f"Anna <{place.format(control)}>")


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_character_in_a_name_is_refused(control: str) -> None:
    """Rule 32: a display name is one line of text."""
    with pytest.raises(MessageError, match="control"):
        Address("anna@acme.example", f"Anna{control}Berg")


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("a@b.example", "a@b.example", ""),
        ("  a@b.example ", "a@b.example", ""),
        ("<a@b.example>", "a@b.example", ""),
        ("Anna Berg <a@b.example>", "a@b.example", "Anna Berg"),
        ("Anna Berg<a@b.example>", "a@b.example", "Anna Berg"),
        ('"Berg, Anna" <a@b.example>', "a@b.example", "Berg, Anna"),
        (r'"A \"B\" \\ C" <a@b.example>', "a@b.example", r'A "B" \ C'),
        ('"a <x@y.example>" <a@b.example>', "a@b.example", "a <x@y.example>"),
        ("Anna (Sales) <a@b.example>", "a@b.example", "Anna (Sales)"),
        ("a@b.example <a@b.example>", "a@b.example", "a@b.example"),
        ("Jörg Groß <a@bücher.example>", "a@bücher.example", "Jörg Groß"),
        ('Anna <"a b"@c.example>', '"a b"@c.example', "Anna"),
        ("=?utf-8?q?J=C3=B6rg?= <a@b.example>", "a@b.example", "Jörg"),
    ],
)
def test_one_address_is_parsed_with_its_name(text: str, address: str, name: str) -> None:
    """As people and `email.utils.formataddr` write it."""
    assert Address.parse(text) == Address(address, name)


@pytest.mark.parametrize(
    "text",
    [
        "a@b.example, c@d.example",
        "a@b.example; c@d.example",
        "a@b.example, Anna <c@d.example>",
        "Berg, Anna <c@d.example>",
        "Anna <a@b.example>, Otto <c@d.example>",
        "<a@b.example> <c@d.example>",
        '"a" <x@y.example> "b" <c@d.example>',
        '"Anna <c@d.example>',
        "Anna <c@d.example",
        "Anna <>",
        "Anna",
        "Team: a@b.example;",
        "=?utf-8?b?AAAAA?= <a@b.example>",
        "=?klingon?q?a?= <a@b.example>",
        "=?utf-8?q?a=0D=0AB?= <a@b.example>",
    ],
)
def test_a_text_with_no_address_or_several_is_refused(text: str) -> None:
    """A list in one text would lose a recipient or take one for a name."""
    with pytest.raises(MessageError):
        Address.parse(text)


def test_a_list_in_one_text_is_refused_with_the_cure() -> None:
    """The sentence says how to write it."""
    with pytest.raises(MessageError, match="give several addresses as a list"):
        Address.parse("a@b.example, c@d.example")


@patient
@given(messages.mailboxes)
def test_what_formataddr_writes_is_parsed_to_the_same(address: Address) -> None:
    """Hosts pass addresses that the standard library formatted; it can't write every one."""
    assume(address.address.isascii() and "=?" not in address.name and address.name.strip() == address.name)
    assert Address.parse(email.utils.formataddr((address.name, address.address))) == address


@pytest.mark.parametrize(
    ("domain", "wire"),
    [
        ("straße.de", "xn--strae-oqa.de"),
        ("faß.example", "xn--fa-hia.example"),
        ("Bücher.Example", "xn--bcher-kva.example"),
        ("bücher。example", "xn--bcher-kva.example"),
        ("ＡＣＭＥ.example", "acme.example"),
        ("Acme.Example", "Acme.Example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_a_domain_goes_on_the_wire_as_a_labels(domain: str, wire: str) -> None:
    """IDNA 2008: straße.de is not strasse.de, and ASCII is left as it is."""
    assert ascii_domain(domain) == wire
    assert Address(f"a@{domain}").wire == f"a@{wire}"


@patient
@given(st.text(max_size=300))
def test_every_domain_becomes_ascii_or_a_message_error(domain: str) -> None:
    """Whatever a person types, no other exception comes out, and nothing that could end a command."""
    try:
        wire = ascii_domain(domain)
    except MessageError:
        return
    assert wire.isascii()
    assert not set(wire) & set(' <>\r\n\t\0,;@"')


@patient
@given(st.one_of(st.text(max_size=80), st.text('a.@"\\<>,; üß[]:', max_size=30)))
def test_every_text_is_one_harmless_address_or_a_message_error(text: str) -> None:
    """What passes has one mailbox in it, and no way out of the angle brackets of a command."""
    try:
        address = Address.parse(text)
    except MessageError:
        return
    unquoted = address.wire if not address.local.startswith('"') else address.wire.rpartition('"')[2]
    assert unquoted.count("@") == 1
    assert not set(unquoted) & set(" <>\r\n\t\0,;")


def test_mailboxes_are_the_same_but_for_the_case_and_encoding_of_the_domain() -> None:
    """Rule 16: trimmed, lower-case A-labels, exact local parts."""
    assert Address("anna@Bücher.example").same_mailbox(" anna@XN--bcher-kva.EXAMPLE")
    assert not Address("anna@acme.example").same_mailbox("Anna@acme.example")
    assert not Address("anna@straße.example").same_mailbox("anna@strasse.example")


@pytest.mark.parametrize("text", ["", "anna", "anna@", "@", "a@b c", "a@☃"])
def test_anything_can_be_compared(text: str) -> None:
    """A half-typed user name is simply not equal."""
    assert comparable(text) == text.strip().lower()


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        ("acme.example", "acme.example"),
        ("bücher.example", "bücher.example"),
        ("例え.example", "例え.example"),
        ("аcme.example", "xn--cme-5cd.example"),
    ],
)
def test_a_domain_of_mixed_scripts_is_shown_as_its_a_label(domain: str, shown: str) -> None:
    """Rule 39: a Cyrillic а does not pass for a Latin one."""
    assert shown_domain(domain) == shown
    assert str(Address(f"anna@{domain}", "Anna")) == f"Anna <anna@{shown}>"


def test_only_a_local_part_needs_smtputf8() -> None:
    """A domain has an ASCII form."""
    assert Address("jörg@acme.example").needs_smtputf8
    assert not Address("anna@bücher.example").needs_smtputf8


def test_one_address_or_several_become_a_tuple() -> None:
    """The fields of a message take either."""
    anna = Address("a@b.example", "Anna")
    assert addresses(None) == ()
    assert addresses("Anna <a@b.example>") == addresses(anna) == addresses([anna]) == (anna,)
    assert addresses(one for one in ("a@b.example", anna)) == (Address("a@b.example"), anna)
    with pytest.raises(MessageError):
        addresses(5)  # type: ignore[arg-type]


def test_an_address_survives_pickle_and_copy() -> None:
    """It crosses process boundaries, and serves as a key."""
    anna = Address("a@bücher.example", "Anna")
    assert pickle.loads(pickle.dumps(anna)) == copy.deepcopy(anna) == copy.copy(anna) == anna
    assert {anna: 1}[Address("a@bücher.example", "Anna")] == 1


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["a", "a.", " ", "<", '"', "\\", "@", "a@", "ü.", ",", "=?", "[", '"\\'])
def test_ten_million_characters_are_refused_at_once(piece: str) -> None:
    """No pattern takes more than linear time: a quadratic one would run into the time limit."""
    text = piece * (10_000_000 // len(piece))
    for refuse in (Address, Address.parse, ascii_domain, lambda value: printable(value, "subject")):
        with pytest.raises(MessageError):
            refuse(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["a", "a.", " ", "<", '"', "\\", "@", "a <", "ü.", ",", '"a" ', '"\\', "=?", "=?q?q?"]
)
def test_the_longest_texts_that_are_looked_at_take_no_time(piece: str) -> None:
    """Two thousand times at the length limit, under one time limit."""
    text = (piece * 2_000)[:1_985]
    for tail in ("", ">", "<a@b.example>"):
        for number in range(700):
            try:
                Address.parse(f"{number}{text}{tail}")
            except MessageError:
                continue
