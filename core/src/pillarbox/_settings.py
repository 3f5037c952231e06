"""The company's and each user's e-mail settings, and the account that comes of them."""

from __future__ import annotations

import enum
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import attrs

from ._address import Address, check_address, printable
from ._errors import InvalidSettings, MessageError
from ._schema import Problem, Role, Secret, at, put, unstructure

E = TypeVar("E", bound=enum.Enum)
NONE = "none"
"""The method that sends nothing, deliberately."""
METHOD_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
USER_ID = re.compile("[^\x00-\x20\x7f-\xa0/\\\\\u2028\u2029\ud800-\udfff]{1,100}")


class Choice(enum.Enum):
    """A user's e-mail setting: the company's account, or their own."""

    FROM_COMPANY = "company"
    PERSONAL = "personal"


class FromPolicy(enum.Enum):
    """Which address a company's account shows for a user (rule 9)."""

    USER = "user"
    ACCOUNT = "account"
    SEND_AS = "send_as"


class EnvelopeSender(enum.Enum):
    """Whose address is the reverse-path of a company's SMTP account."""

    USER = "user"
    ACCOUNT = "account"


_PLAIN_ADDRESS = re.compile(r"(?=.{3,60}\Z)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*@(?:[A-Za-z0-9]+\.)+[A-Za-z]+")
"""What most addresses look like; these need no closer look."""


def _address_or_none(value: str) -> None:
    if value and not (isinstance(value, str) and _PLAIN_ADDRESS.fullmatch(value)):
        try:
            check_address(value)
        except MessageError as error:
            raise ValueError(error.detail) from None


def _name(value: str) -> None:
    if isinstance(value, str) and value.isprintable() and len(value) <= 200:
        return  # the common case, for a company of a hundred thousand users
    try:
        printable(value, "name", longest=200)
    except MessageError as error:
        raise ValueError(error.detail) from None


def _method(value: str) -> None:
    if value == NONE:
        return
    if not isinstance(value, str) or not METHOD_NAME.fullmatch(value):
        raise ValueError(f"must be a method's name in lower case, not {value!r:.60}")


def _id(value: str) -> None:
    if not isinstance(value, str) or not USER_ID.fullmatch(value):
        raise ValueError(f"must be 1 to 100 characters without spaces and slashes, not {value!r:.60}")


def _checked(check: Callable[[Any], None]) -> Callable[[Any, Any, Any], None]:
    def validate(instance: Any, field: Any, value: Any) -> None:
        try:
            check(value)
        except ValueError as error:
            raise InvalidSettings(
                [str(Problem(field.name, str(error)))], where=type(instance).__name__
            ) from None

    return validate


def _tables(value: Mapping[str, Any] | None) -> dict[str, Any]:
    if not value:
        return {}
    for name, settings in value.items():
        if not isinstance(name, str) or not METHOD_NAME.fullmatch(name) or name in KEYS:
            raise _invalid("methods", f"holds {name!r:.60}, which is not a method's name")
        if not isinstance(settings, Mapping) and not attrs.has(type(settings)):
            raise _invalid("methods", f"has no table of settings for {name}")
    return dict(value)


def _choice(value: Choice | str) -> Choice:
    return value if type(value) is Choice else _one_of(Choice, "settings", value)


def _role(value: Role | str) -> Role:
    return value if type(value) is Role else _one_of(Role, "typed_by", value)


def _one_of(kind: type[E], name: str, value: Any) -> E:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(one.value) for one in kind)
        raise _invalid(name, f"must be one of {choices}, not {value!r:.60}") from None


def _switch(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r:.60}")  # noqa: TRY004  (a problem of settings)


def _invalid(name: str, text: str) -> InvalidSettings:
    return InvalidSettings([str(Problem(name, text))], where="the record")


@attrs.frozen(kw_only=True)
class Company:
    """The company's e-mail settings.

    Attributes:
        address: The company's address, or "".
        name: What is shown with it.
        method: `none`, `smtp`, `m365`, `gmail`, `mapi` or a third party's.
        reply_to: Where answers to users' mail go unless the message says otherwise, or "".
        methods: The settings of each method that was ever set up, by name; as plain values or the method's class.
        id: Names the company where a directory answers for several.
        typed_by: Who typed the settings; hosts of servers that a deployer did not type are checked (rule 38).
    """

    address: str = attrs.field(default="", validator=_checked(_address_or_none))
    name: str = attrs.field(default="", validator=_checked(_name))
    method: str = attrs.field(default=NONE, validator=_checked(_method))
    reply_to: str = attrs.field(default="", validator=_checked(_address_or_none))
    methods: Mapping[str, Any] = attrs.field(factory=dict, converter=_tables)
    id: str = attrs.field(default="company", validator=_checked(_id))
    typed_by: Role = attrs.field(default=Role.ADMINISTRATOR, converter=_role)

    owner: ClassVar[str] = "company"

    @property
    def version(self) -> str:
        """Names this state of the record, for `Directory.save`: equal for equal settings."""
        return version_of(self)

    @property
    def shown(self) -> Address | None:
        """The company's address with its name."""
        return Address(self.address, self.name) if self.address else None

    def __str__(self) -> str:
        return self.name or self.address or "The company"

    @classmethod
    def from_url(cls, url: str, *, address: str = "", name: str = "") -> Company:
        """Return a company whose method is set by a URL, as deployments keep them in one variable.

        `smtp+starttls://orders%40acme.example@smtp.acme.example:587?password_env=ACME_SMTP_PASSWORD`:
        the scheme is the method and, after `+`, its encryption; the query sets the other fields, a secret by
        `<field>_env`, `<field>_file` or `<field>_vault`. *address* defaults to the user name where that is one.

        Raises:
            InvalidSettings: It is not such a URL, or holds a password in clear.
        """
        parts = _split(url)
        method, _, variant = parts.scheme.partition("+")
        table = _from_parts(parts, variant)
        username = str(table.get("username", ""))
        return cls(
            address=address or (username if "@" in username else ""),
            name=name,
            method="smtp" if method == "smtps" else method,
            methods={"smtp" if method == "smtps" else method: table},
            typed_by=Role.DEPLOYER,
        )


IN_CLEAR_URL = "can't stand in the URL in clear; use ?password_env=NAME or ?password_file=PATH"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidSettings(["url                      is not a URL"], where="the URL") from None
    if parts.password is not None:
        raise InvalidSettings([str(Problem("password", IN_CLEAR_URL))], where="the URL")
    if not parts.scheme or not parts.hostname:
        raise InvalidSettings(
            ["url                      must look like smtp+starttls://user@server:587"], where="the URL"
        )
    if parts.path not in {"", "/"} or parts.fragment:
        raise InvalidSettings(
            ["url                      holds / or # behind the server; write them as %2F and %23"],
            where="the URL",
        )
    return parts


def _from_parts(parts: SplitResult, variant: str) -> dict[str, Any]:
    variant = "tls" if parts.scheme == "smtps" else variant
    given = {
        "server": parts.hostname,
        "port": parts.port,
        "username": unquote(parts.username) if parts.username else None,
        "encryption": variant or None,
    }
    table: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name, value in _queried(parts.query):
        if at(table, name) is not None:
            raise _twice(name)
        put(table, name, value)
    if not table.get("username") and "authenticate" not in table:
        table["authenticate"] = False
    return table


def _queried(query: str) -> Iterator[tuple[str, Any]]:
    for name, text in parse_qsl(query, keep_blank_values=True):
        field, _, kind = name.rpartition("_")
        if field and kind in {"env", "file", "vault"} and name != "ca_file":
            yield field, {kind: text}
        elif name in _SECRET_NAMES:
            raise InvalidSettings([str(Problem(name, IN_CLEAR_URL))], where="the URL")
        else:
            yield name, literal(text)


_SECRET_NAMES = frozenset({"password", "secret", "token", "client_secret"})


def _twice(name: str) -> InvalidSettings:
    return InvalidSettings([str(Problem(name, "is given twice"))], where="the URL")


def literal(text: str) -> str | int | float | bool:
    """Return *text* from a variable or a URL as TOML would have it: `true`, `587`, `2.5` or the text itself."""
    if text in {"true", "false"}:
        return text == "true"
    if re.fullmatch(r"-?[0-9]{1,9}\.[0-9]{1,9}", text):
        return float(text)
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else text


@attrs.frozen(kw_only=True)
class User:
    """A user's e-mail settings. A new user starts as From company.

    Attributes:
        id: What the host calls them; names the user in every call.
        address: The address that their mail shows.
        name: What is shown with it.
        choice: `company` for the company's account, `personal` for their own.
        method: As a company's; it counts where the choice is personal.
        methods: As a company's.
        disabled: Whether an administrator has switched the personal account off (rule 7).
        typed_by: As a company's.
    """

    id: str = attrs.field(validator=_checked(_id))
    address: str = attrs.field(default="", validator=_checked(_address_or_none))
    name: str = attrs.field(default="", validator=_checked(_name))
    choice: Choice = attrs.field(default=Choice.FROM_COMPANY, converter=_choice)
    method: str = attrs.field(default=NONE, validator=_checked(_method))
    methods: Mapping[str, Any] = attrs.field(factory=dict, converter=_tables)
    disabled: bool = attrs.field(default=False, validator=_checked(_switch))
    typed_by: Role = attrs.field(default=Role.ADMINISTRATOR, converter=_role)

    @property
    def version(self) -> str:
        """As a company's."""
        return version_of(self)

    @property
    def owner(self) -> str:
        """What their account's owner is called."""
        return f"user:{self.id}"

    @property
    def shown(self) -> Address | None:
        """The user's address with their name."""
        return Address(self.address, self.name) if self.address else None

    def __str__(self) -> str:
        return self.name or self.id


_SHARED = {"address": "", "name": "", "method": NONE}
COMPANY_KEYS: Mapping[str, Any] = {**_SHARED, "reply_to": "", "id": "company"}
USER_KEYS: Mapping[str, Any] = {**_SHARED, "settings": "company", "disabled": False}
"""What stands in a record's table beside its methods, with the defaults."""
KEYS = frozenset({*COMPANY_KEYS, *USER_KEYS, "typed_by"})


def table_of(record: Company | User) -> dict[str, Any]:
    """Return *record* as plain values, as it stands in a settings file, without what equals its default."""
    values: dict[str, Any] = attrs.asdict(record, recurse=False)
    if isinstance(record, User):
        values["settings"] = record.choice.value
    known = COMPANY_KEYS if isinstance(record, Company) else USER_KEYS
    table = {key: values[key] for key, default in known.items() if values[key] != default}
    if record.typed_by is not Role.DEPLOYER:
        table["typed_by"] = record.typed_by.value
    return table | {method: plain_settings(settings) for method, settings in record.methods.items()}


def plain_settings(settings: Any) -> dict[str, Any]:
    """Return one method's settings as plain values, whether structured yet or not."""
    if isinstance(settings, Mapping):
        return {
            key: (unstructure(value) if attrs.has(type(value)) else value) for key, value in settings.items()
        }
    return unstructure(settings)


def version_of(record: Company | User) -> str:
    """Return a name for the state of *record*: equal for equal settings."""
    text = json.dumps(table_of(record), sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


@attrs.frozen(kw_only=True)
class Account:
    """A method with the settings that one owner has for it.

    Attributes:
        owner: `company` or `user:<id>`.
        method: Its name.
        settings: An instance of the method's settings class.
        mailbox: The mailbox that sends: the owner's address unless the settings name another (a shared mailbox).
        signs_in_as: Who signs in: the mailbox unless the settings say otherwise.
        name: The display name of the mailbox.
        company: The company's id.
        typed_by: Who typed the settings (rule 38).
        desk: On whose computer the mail program is that carries it: a user's id where the method is one of those
            (`SenderPolicy.CLIENT`), else "".
    """

    owner: str
    method: str
    settings: Any = attrs.field(factory=dict)
    mailbox: str = ""
    signs_in_as: str = attrs.field()
    name: str = ""
    company: str = "company"
    typed_by: Role = Role.ADMINISTRATOR
    desk: str = ""

    @signs_in_as.default
    def _the_mailbox(self) -> str:
        return self.mailbox

    @property
    def key(self) -> str:
        """Names the account, and so the lane of its submissions; each desk has one of its own."""
        key = f"{self.company}/{self.owner}/{self.method}"
        return f"{key}/{self.desk}" if self.desk else key


def desk_of(lane: str) -> str:
    """Return the desk in the key of an account, or "": no id or name of a method has a slash in it."""
    parts = lane.split("/")
    return parts[3] if len(parts) == 4 else ""


@attrs.frozen
class Actor:
    """Who changes settings.

    Attributes:
        name: For the history. An owner is known by it: the id of the user who acts, whose own record is all that they
            may change.
        role: What they may do.
    """

    name: str
    role: Role = Role.OWNER


def secrets_of(settings: Any) -> dict[str, Secret]:
    """Return the secret references that stand in *settings*, by field; with dots for those of nested tables."""
    return dict(_secrets_of(settings, ""))


def _secrets_of(settings: Any, start: str) -> Iterator[tuple[str, Secret]]:
    for field in attrs.fields(type(settings)) if attrs.has(type(settings)) else ():
        value = getattr(settings, field.name)
        if isinstance(value, Secret):
            yield start + field.name, value
        else:
            yield from _secrets_of(value, f"{start}{field.name}.")
