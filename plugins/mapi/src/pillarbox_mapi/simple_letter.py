"""What of a letter Simple MAPI carries, what it leaves out where that is allowed, and for whom it may send. Pure.

It sends as the mail program is set up, and nobody can see as whom that is. `mapi.account` therefore chooses nothing here: it
says as whom the program sends, and a person answers for it.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from pillarbox import MessageError, SenderMismatch, SettingsError

from .accounts import Wish
from .letter import Letter, listed
from .settings import MapiSettings

_BY_COM = 'or set mapi.interface = "com"'


def narrowed(letter: Letter, settings: MapiSettings) -> Letter:
    """Return *letter* as Simple MAPI carries it; what it leaves out stands in `lost`.

    Raises:
        MessageError: It can't carry all of it and the settings are not lossy, or nothing would be left.
    """
    if letter.html is not None and not letter.text.strip():
        raise MessageError(
            "Simple MAPI carries text alone, and this message has none beside its HTML.",
            cure=f"Give it a text as well, {_BY_COM}.",
        )
    lost = tuple(left_out(letter, settings.account))
    if lost and not settings.lossy:
        raise MessageError(f"Simple MAPI can't carry {listed(lost)} of this message.", cure=_cure(letter))
    return attrs.evolve(
        letter,
        html=None,
        answers_to=(),
        importance=1,
        headers=(),
        files=tuple(attrs.evolve(file, content_id="") for file in letter.files),
        lost=(*letter.lost, *lost),
    )


def left_out(letter: Letter, stated: str) -> Iterator[str]:
    """Yield what of *letter* Simple MAPI has no place for, each a clause; *stated* is as whom the program sends."""
    if letter.html is not None:
        yield "the HTML"
    if any(file.content_id for file in letter.files):
        yield "the place of a picture inside the text"
    if any(person.address.casefold() != stated.casefold() for person in letter.answers_to):
        yield "an address for answers"
    if letter.importance != 1:
        yield "the importance"
    yield from (f"the header {name[:80]}" for name, _ in letter.headers)


def _cure(letter: Letter) -> str:
    """Return what helps; where only answers go astray it may be enough to say as whom the program sends."""
    said = " Or say in mapi.account that the mail program sends as that address." if letter.answers_to else ""
    return f"Leave it out, {_BY_COM}, or set mapi.lossy = true to send without.{said}"


def require_sender(settings: MapiSettings, wish: Wish) -> None:
    """Do nothing where the mail program's own account may send: Simple MAPI knows no other.

    Raises:
        SettingsError: The settings ask for what Simple MAPI can't choose.
        SenderMismatch: Somebody in particular has to send, and the settings do not say that the program sends as them.
    """
    for name in _chosen(settings):
        raise SettingsError(
            f"Simple MAPI can't do what mapi.{name} asks.", cure=f"Leave mapi.{name} empty, {_BY_COM}."
        )
    if wish.must_be and wish.must_be.casefold() != settings.account.casefold():
        raise SenderMismatch(
            f"{wish.must_be} has to send, and Simple MAPI does not show as whom the mail program does.",
            cure=f"Say so if it is that address: mapi.account = {wish.must_be}; {_BY_COM}.",
        )


def doubts(settings: MapiSettings) -> Iterator[str]:
    """Yield what is doubtful about settings that choose Simple MAPI, each a sentence."""
    yield "Simple MAPI carries plain text alone and can't look what was sent."
    if settings.lossy:
        yield (
            "Because of mapi.lossy, Simple MAPI sends without HTML, addresses for answers, importance and headers"
            " instead of refusing; the receipt says what was left out."
        )
    if settings.account:
        yield f"Nobody can check that the mail program sends as {settings.account}, as mapi.account says."
    for name in _chosen(settings):
        yield f"Simple MAPI can't do what mapi.{name} asks: nothing is sent until it is empty."


def _chosen(settings: MapiSettings) -> Iterator[str]:
    return (name for name in ("profile", "on_behalf") if getattr(settings, name))
