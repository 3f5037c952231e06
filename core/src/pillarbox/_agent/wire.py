"""What goes between a desktop worker and the door of its company's server: plain values of JSON, and the names of the calls."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn, TypeVar

import attrs

from .._mail import TRANSITIONS, State
from .._outbox import Entry, OutboxSettings, Pause, Step
from .._schema import Role, form, structure, take_out, unstructure
from .._settings import Account
from .._transports import SenderPolicy, Transport

T = TypeVar("T")

PROTOCOL: Final = 1
"""What both sides have to speak."""
SESSION: Final = "Pillarbox-Session"
"""The header that names one run of a worker."""
BCC: Final = "Pillarbox-Bcc"
"""The header that says how many of a content's first octets are its Bcc header."""
LONGEST_CALL: Final = 256 * 1024
"""Octets of what a worker says at once."""
LEASE: Final = 90.0
"""Seconds for which a worker is taken to be alive without a word of it."""
LONGEST_WAIT: Final = 20
"""Seconds that one question for news takes at most."""
ENTER, CLAIM, HAND_OVER, NOTE, SETTLE = "/enter", "/claim", "/hand-over", "/note", "/settle"
LOOKS, PAUSE, ANSWERED, WAIT, STATUS, LEAVE = "/looks", "/pause", "/answered", "/wait", "/status", "/leave"
CONTENT: Final = "/content"
SAME_VERSION: Final = "Install the same version of pillarbox here as there."
_OUTBOX_OWN: Final = frozenset({"kind", "path", "url", "password", "vault_key"})
"""Where the server keeps its outbox: none of the desk's business."""
_PAUSES: Final = frozenset({"sign-in", "settings", "server"})


@functools.cache
def _converter() -> Any:
    from cattrs.preconf.json import make_converter

    made = make_converter()
    made.register_unstructure_hook(dt.datetime, lambda at: at.isoformat())
    made.register_structure_hook(dt.datetime, _moment)
    made.register_structure_hook(str, _text)
    made.register_structure_hook(int, _number)
    made.register_structure_hook(bool, _switch)  # else it is an int's
    return made


def _moment(value: Any, _: Any) -> dt.datetime:
    at = dt.datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("a moment without its zone")
    return at


def _text(value: Any, _: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004  (what is said is wrong, not the program)
    return value


def _number(value: Any, _: Any) -> int:
    if type(value) is not int or abs(value) >= 2**53:
        raise ValueError("not a number")
    return value


def _switch(value: Any, _: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not true or false")  # noqa: TRY004  (as above)
    return value


def packed(value: Any) -> Any:
    """Return an instance of our classes, or several, as plain values."""
    return _converter().unstructure(value)


def unpacked(cls: type[T], table: Any) -> T:
    """Return what `packed` made plain.

    Raises:
        ValueError: It is none; the words are fit for nobody else.
    """
    try:
        made: T = _converter().structure(table, cls)
    except Exception as error:  # noqa: BLE001  (cattrs raises what it likes)
        raise ValueError(f"no {cls.__name__}: {type(error).__name__}") from None
    return made


def written(table: Any) -> bytes:
    """Return *table* as it travels."""
    return json.dumps(table, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


class Said(dict[str, Any]):
    """A table that came from the other side: what is missing in it, or of another kind, is that side's mistake (ValueError)."""

    def __missing__(self, name: str) -> NoReturn:
        """Refuse what is asked for and not there."""
        raise ValueError(f"nothing is said of {name}")

    def whole(self, name: str, most: int) -> int:
        """Return a number from 1 on, *most* at most."""
        found = _number(self[name], int)
        if found < 1:
            raise ValueError("not a number that can be")
        return min(found, most)

    def text(self, name: str) -> str:
        """Return a text."""
        return _text(self[name], str)

    def texts(self, name: str, most: int = 1_000) -> list[str]:
        """Return texts, *most* at most."""
        found = self[name]
        if not isinstance(found, list) or len(found) > most:
            raise ValueError("not texts")
        return [_text(one, str) for one in found]

    def table(self, name: str, most: int) -> dict[str, Any]:
        """Return a table, of *most* entries at most."""
        found = self[name]
        if not isinstance(found, dict) or len(found) > most:
            raise ValueError("not a table")
        return found

    def moment(self, name: str) -> dt.datetime:
        """Return a moment, aware."""
        return _moment(self.text(name), dt.datetime)


def read(octets: bytes) -> Said:
    """Return the table that *octets* are.

    Raises:
        ValueError: They are none.
    """
    try:
        table = json.loads(octets, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(table, dict):
        raise ValueError("no table")  # noqa: TRY004  (what is said is wrong, not the program)
    return Said(table)


def entry_table(entry: Entry) -> Any:
    """Return *entry* without its bytes, which travel by themselves, and without `not_after`: a desk's clock may be wrong."""
    bare = attrs.evolve(entry.submission, chunks=(), bcc_header=b"", not_after=None)
    return packed(attrs.evolve(entry, submission=bare, size=entry.size))


def with_content(entry: Entry, octets: bytes, bcc: int) -> Entry:
    """Return *entry* with its bytes, of which the first *bcc* are the Bcc header.

    Raises:
        ValueError: They are not all.
    """
    if not 0 <= bcc <= len(octets) or len(octets) - bcc != entry.size:
        raise ValueError("the content is not whole")
    whole = attrs.evolve(entry.submission, chunks=(octets[bcc:],), bcc_header=octets[:bcc])
    return attrs.evolve(entry, submission=whole, size=entry.size)


def rules_table(settings: OutboxSettings) -> dict[str, Any]:
    """Return what a worker has to know of `[outbox]`."""
    return {name: value for name, value in unstructure(settings).items() if name not in _OUTBOX_OWN}


def rules_of(table: Any) -> OutboxSettings:
    """Return what `rules_table` made plain; one message at a time may be in doubt.

    Raises:
        PillarboxError: It is none.
    """
    named = {name: value for name, value in dict(table).items() if name not in _OUTBOX_OWN}
    return attrs.evolve(structure(OutboxSettings, named, "outbox"), batch=1)


def account_table(account: Account) -> dict[str, Any]:
    """Return *account* as its desk may know it: no secret, nothing that only a deployer sets there."""
    return {
        "owner": account.owner,
        "method": account.method,
        "mailbox": account.mailbox,
        "signs_in_as": account.signs_in_as,
        "name": account.name,
        "company": account.company,
        "desk": account.desk,
        "settings": _for_the_desk(type(account.settings), unstructure(account.settings)),
    }


def account_of(table: Mapping[str, Any], transport: type[Transport]) -> Account:
    """Return what `account_table` made plain.

    The server is not the deployer of this computer: a command that is run here is not the server's to say.

    Raises:
        PillarboxError: The settings can't be used here.
        ValueError: It is no account.
    """
    if transport.sender_policy is not SenderPolicy.CLIENT:
        raise ValueError("not a mail program of this computer")
    cls = transport.settings_class()
    given = table["settings"]
    settings: Any = structure(cls, _for_the_desk(cls, given if isinstance(given, dict) else {}), "")
    return Account(
        owner=_text(table["owner"], str),
        method=_text(table["method"], str),
        settings=settings,
        mailbox=_text(table["mailbox"], str),
        signs_in_as=_text(table["signs_in_as"], str),
        name=_text(table["name"], str),
        company=_text(table["company"], str),
        desk=_text(table["desk"], str),
    )


def _for_the_desk(cls: type, table: dict[str, Any]) -> dict[str, Any]:
    kept = dict(table)
    for field in form(cls):
        if field.kind == "secret" or field.set_by is Role.DEPLOYER:
            take_out(kept, field.name)
    return kept


def allowed(step: Step) -> Step | None:
    """Return what a desk may ask for with *step*, in a claim and along the arrows of the table of states; None for nothing.

    The carrier's word counts also where it comes late: from where the entry went when its worker was taken for dead.
    """
    if step.fence is None or step.by or step.state is State.CLAIMED:
        return None
    if step.state is None:
        return step if step.come_from == {State.UNKNOWN} else None
    come_from = step.come_from
    if step.state is State.ACCEPTED and step.receipt is not None:
        come_from |= {State.UNKNOWN, State.HELD}
    come_from = frozenset(one for one in come_from if step.state in TRANSITIONS[one])
    return attrs.evolve(step, come_from=come_from) if come_from else None


def may_pause(pause: Pause, lanes: Iterable[str]) -> bool:
    """Whether a desk may ask for *pause*: of one of its *lanes*, as a worker does, not as a person."""
    return pause.kind in _PAUSES and not pause.by and pause.scope in {f"lane:{lane}" for lane in lanes}
