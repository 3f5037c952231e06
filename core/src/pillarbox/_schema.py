"""Settings classes: declared with attrs, structured by cattrs, their problems told as sentences, drawn as forms."""

from __future__ import annotations

import contextlib
import difflib
import enum
import functools
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from ._errors import InvalidSettings, quotation

T = TypeVar("T")
MOST_PROBLEMS = 50
"""The most problems that are listed; a file with more is usually not a settings file."""


class Role(enum.Enum):
    """Who is asking, or who may set a field (rule 35). Each may do what those after it may."""

    DEPLOYER = "deployer"
    ADMINISTRATOR = "administrator"
    OWNER = "owner"
    """Of the record: a user of their own, an administrator of the company's."""

    def may_act_as(self, needed: Role) -> bool:
        """Whether this role covers *needed*."""
        order = list(Role)
        return order.index(self) <= order.index(needed)


@attrs.frozen
class Secret:
    """Where a secret is found: never the secret itself. Exactly one of the three is given.

    Attributes:
        env: An environment variable.
        file: A file that only its owner can read.
        vault: A name in the record's own part of the vault.
    """

    env: str = ""
    file: str = ""
    vault: str = ""

    def __attrs_post_init__(self) -> None:
        given = [value for value in (self.env, self.file, self.vault) if value]
        if len(given) != 1:
            raise ValueError(ONE_OF)
        if not isinstance(given[0], str) or "\x00" in given[0]:
            raise ValueError("must name an environment variable, a file or a vault entry as text")
        if self.vault and (not _ENTRY.fullmatch(self.vault) or self.vault == SIGN_IN):
            raise ValueError(
                f"must name a vault entry in letters, digits, - and _, and not {SIGN_IN}, which Connect keeps"
            )


SIGN_IN = "sign-in"
"""The vault entry of an account that a person connected; no setting may refer to it."""
ONE_OF = 'must be one of { env = "NAME" }, { file = "PATH" }, { vault = "NAME" }'
_ENTRY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
IN_CLEAR = (
    'can\'t stand in the settings in clear; use { env = "NAME" }, { file = "PATH" } or { vault = "NAME" }'
)


def setting(
    default: Any = attrs.NOTHING,
    *,
    label: str = "",
    help: str = "",  # noqa: A002  (what it is called on a form)
    set_by: Role = Role.OWNER,
    binds: bool = False,
    goes_to: tuple[str, ...] = (),
    advanced: bool = False,
    check: Callable[[Any], None] | None = None,
    **field: Any,
) -> Any:
    """Return an attrs field of a settings class.

    Args:
        default: Its value where nothing is set; without one the field is required.
        label: What a form calls it; made from the name by default.
        help: A sentence or two for the one who fills it in.
        set_by: The least role that may set it (rule 35).
        binds: Whether a stored secret is bound to its value, so that it goes nowhere else (rule 36).
        goes_to: For a secret that does not go where the others of the account go: the fields that say where. It is
            bound to those instead.
        advanced: Whether a form may fold it away.
        check: Raises ValueError with the rest of a sentence: `must be between 1 and 65535, not 0`.
        field: Passed on to `attrs.field`.
    """
    meta = {
        "label": label, "help": help, "set_by": set_by, "binds": binds, "goes_to": goes_to, "advanced": advanced,
    }  # fmt: skip
    if check is not None:
        field["validator"] = _validator(check)
    if "factory" not in field:
        field["default"] = default
    return attrs.field(metadata={"pillarbox": meta}, **field)


def _validator(check: Callable[[Any], None]) -> Callable[[Any, Any, Any], None]:
    def validate(_instance: Any, _field: Any, value: Any) -> None:
        check(value)

    return validate


def between(least: float, most: float) -> Callable[[Any], None]:
    """Return a check for numbers from *least* to *most*."""

    def check(value: Any) -> None:
        if not least <= value <= most:
            raise ValueError(f"must be between {least} and {most}, not {value}")

    return check


@attrs.frozen
class Problem:
    """One thing wrong: where, and a sentence that starts behind its name."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{quotation(self.path):<24} {quotation(self.text)}"


@attrs.frozen(kw_only=True)
class FormField:
    """One field of a settings class, as a form or a table of documentation needs it.

    Attributes:
        name: The field's; `saved_copy.server` for one that stands in the table of another.
        kind: `text`, `integer`, `number`, `boolean`, `choice`, `secret`, `list` or `table`.
        choices: The values of a `choice`.
        goes_to: For a secret that goes elsewhere than the others: the fields that say where.
    """

    name: str
    label: str
    help: str
    kind: str
    required: bool
    default: Any
    choices: tuple[str, ...]
    set_by: Role
    binds: bool
    advanced: bool
    goes_to: tuple[str, ...] = ()


def form(cls: type) -> tuple[FormField, ...]:
    """Return the fields of the settings class *cls*, in their order, those of a nested class in the place of its table."""
    return _form(cls)


@functools.cache
def _form(cls: type) -> tuple[FormField, ...]:
    hints = typing.get_type_hints(cls)
    return tuple(one for field in _fields(cls) for one in _form_fields(field, hints[field.name]))


def _form_fields(field: attrs.Attribute[Any], hint: Any) -> Iterator[FormField]:
    table, inner = _form_field(field, hint), _nested(hint)
    if inner is None:
        yield table
        return
    bound = tuple(one.name for one in _form(inner) if one.binds)
    yield from (_inside(table, one, bound) for one in _form(inner))


def _inside(table: FormField, one: FormField, bound: tuple[str, ...]) -> FormField:
    """Return a field of a nested class as one of the class that holds its *table*; its secrets go where it says."""
    goes_to = one.goes_to or (bound if one.kind == "secret" else ())
    return attrs.evolve(
        one,
        name=f"{table.name}.{one.name}",
        label=f"{table.label} {one.label[:1].lower()}{one.label[1:]}",
        required=False,
        default=None if one.required else one.default,
        set_by=min(table.set_by, one.set_by, key=list(Role).index),
        advanced=table.advanced or one.advanced,
        goes_to=tuple(f"{table.name}.{name}" for name in goes_to),
    )


def _nested(hint: Any) -> type | None:
    """Return the settings class that a field of this *hint* nests, or None."""
    inner = _without_none(hint)
    is_one = isinstance(inner, type) and attrs.has(inner) and inner is not Secret
    return inner if is_one else None


def defaults(cls: type, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields that *table* leaves out would be, plain, by the rest of it: a port that the encryption sets.

    A form shows them where nothing is typed. What in *table* can't be used counts as left out; what has no default is.
    """
    hints, known = typing.get_type_hints(cls), {}
    for field in _fields(cls):
        with contextlib.suppress(Exception):  # any validator of a plugin's; told where it is saved
            known[field.name] = _checked(field, hints[field.name], table[field.alias or field.name])
    found: dict[str, Any] = {}
    for field in _fields(cls):
        if field.name not in known and field.default is not attrs.NOTHING:
            with contextlib.suppress(Exception):  # it rests on another that is not there yet
                known[field.name] = _default(field, types.SimpleNamespace(**known))
                found[field.name] = _plain(known[field.name])
    return found


def at(settings: Any, name: str) -> Any:
    """Return what stands at *name*, with dots for nested tables, in an instance or a table; None where nothing does."""
    for part in name.split("."):
        settings = settings.get(part) if isinstance(settings, Mapping) else getattr(settings, part, None)
    return settings


def put(table: dict[str, Any], name: str, value: Any) -> None:
    """Set *name*, with dots for nested tables, in *table*; those inside are copied first."""
    head, dot, rest = name.partition(".")
    if dot:
        inner = table.get(head)
        table[head] = dict(inner) if isinstance(inner, Mapping) else {}
        put(table[head], rest, value)
    else:
        table[head] = value


def take_out(table: dict[str, Any], name: str) -> None:
    """Remove *name*, with dots for nested tables, from *table*, where it stands."""
    head, dot, rest = name.partition(".")
    if not dot:
        table.pop(head, None)
    elif isinstance(table.get(head), Mapping):
        table[head] = dict(table[head])
        take_out(table[head], rest)


def _fields(cls: type) -> tuple[attrs.Attribute[Any], ...]:
    return tuple(field for field in attrs.fields(cls) if field.init and "hidden" not in field.metadata)


def _form_field(field: attrs.Attribute[Any], hint: Any) -> FormField:
    meta = {"label": "", "help": "", "set_by": Role.OWNER, "binds": False, "advanced": False}
    meta.update(field.metadata.get("pillarbox", {}))
    plain = isinstance(field.default, (str, int, float, bool, tuple, enum.Enum, type(None)))
    inner = _without_none(hint)
    return FormField(
        name=field.name,
        label=str(meta["label"] or field.name.replace("_", " ").capitalize()),
        help=str(meta["help"]),
        kind=_kind(inner),
        required=field.default is attrs.NOTHING,
        default=field.default if plain else None,
        choices=tuple(str(one.value) for one in inner) if _kind(inner) == "choice" else (),
        set_by=typing.cast("Role", meta["set_by"]),
        binds=bool(meta["binds"]),
        advanced=bool(meta["advanced"]),
        goes_to=typing.cast("tuple[str, ...]", meta.get("goes_to", ())),
    )


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        rest = [one for one in typing.get_args(hint) if one is not type(None)]
        return rest[0] if len(rest) == 1 else hint
    return hint


_KINDS = {str: "text", int: "integer", float: "number", bool: "boolean", Secret: "secret"}


def _kind(hint: Any) -> str:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "choice"
    if typing.get_origin(hint) in {tuple, list, Sequence}:
        return "list"
    return _KINDS.get(hint, "table")


def structure(cls: type[T], table: Any, path: str = "") -> T:
    """Return *table*, plain values as TOML or JSON give them, as an instance of the settings class *cls*.

    Raises:
        InvalidSettings: With a sentence for each field that is wrong, missing or unknown.
    """
    if isinstance(table, cls):
        return table
    try:
        made: T = _converter().structure(table, cls)
    except Exception:  # noqa: BLE001  (cattrs and the class's own checks raise what they like; told below)
        problems = problems_of(cls, table, path)
    else:
        return made
    raise InvalidSettings(map(str, problems or [Problem(path, "can't be used")]), where=path or cls.__name__)


def problems_of(cls: type, table: Any, path: str = "") -> list[Problem]:
    """Return all that is wrong with *table* as settings of *cls*, field by field."""
    if isinstance(table, cls):
        return []
    if not isinstance(table, Mapping):
        return [Problem(path, "must be a table of settings")]
    hints = typing.get_type_hints(cls)
    fields = {field.alias or field.name: field for field in _fields(cls)}
    problems = [unknown(path, str(key), fields) for key in table if key not in fields][:MOST_PROBLEMS]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        inner = _nested(hints[field.name]) if table.get(name) is not None else None
        nested = problems_of(inner, table[name], joined(path, name)) if inner is not None else []
        problems += nested
        try:
            if name in table and not nested:
                values[name] = _checked(field, hints[field.name], table[name])
            elif name not in table and field.default is attrs.NOTHING:
                problems.append(Problem(joined(path, name), "is required"))
        except Exception as error:  # noqa: BLE001  (any validator of a plugin's)
            problems.append(Problem(joined(path, name), _sentence(error)))
    return problems or _as_a_whole(cls, values, path)


def _checked(field: attrs.Attribute[Any], hint: Any, value: Any) -> Any:
    structured = _converter().structure(value, hint)
    if field.converter is not None:
        structured = typing.cast("Callable[[Any], Any]", field.converter)(structured)
    if field.validator is not None:
        field.validator(None, field, structured)
    return structured


def _as_a_whole(cls: type, values: dict[str, Any], path: str) -> list[Problem]:
    try:
        cls(**values)
    except InvalidSettings as error:
        return [_placed(problem.strip(), cls, path) for problem in error.problems]
    except Exception as error:  # noqa: BLE001  (any check of a plugin's class)
        return [_placed(_sentence(error), cls, path)]
    return []


def _placed(said: str, cls: type, path: str) -> Problem:
    """Return `field: sentence` at its field, any other sentence at the table."""
    name, colon, text = said.partition(": ")
    is_field = colon and name.partition(".")[0] in {field.alias or field.name for field in _fields(cls)}
    return Problem(joined(path, name), text) if is_field else Problem(path, said)


def unknown(path: str, key: str, known: Iterable[str]) -> Problem:
    """Return the problem of a *key* that nothing reads, with a guess at what was meant."""
    guess = difflib.get_close_matches(key[:60], list(known), 1, cutoff=0.6)
    return Problem(
        joined(path, key[:60]), f"is not a setting{f'; did you mean {guess[0]}?' if guess else ''}"
    )


def _sentence(error: Exception) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = typing.cast("Exception", error.exceptions[0])
    if isinstance(error, InvalidSettings) and error.problems:
        return error.problems[0].partition(" ")[2].strip()
    return (str(error.args[0]) if error.args else type(error).__name__)[:500]


def joined(path: str, name: str) -> str:
    """Return the path of *name* in the table at *path*."""
    return f"{path}.{name}" if path else name


def unstructure(settings: Any) -> dict[str, Any]:
    """Return *settings* as plain values, without those that equal their default."""
    return {
        field.alias or field.name: _plain(getattr(settings, field.name))
        for field in _fields(type(settings))
        if getattr(settings, field.name) != _default(field, settings)
    }


def _default(field: attrs.Attribute[Any], settings: Any) -> Any:
    default: Any = field.default
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return default
    return default.factory(settings) if default.takes_self else default.factory()


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if attrs.has(type(value)):
        return unstructure(value)
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return {key: _plain(one) for key, one in value.items()} if isinstance(value, Mapping) else value


@functools.cache
def _converter() -> Any:
    """Return the one cattrs converter: strict about types, no unknown keys (cattrs would take 3 for '3')."""
    import cattrs

    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind, article in ((str, "text"), (int, "a whole number"), (bool, "true or false")):
        converter.register_structure_hook(kind, functools.partial(_exactly, kind, article))
    converter.register_structure_hook(float, _number)
    for origins, hook in (((tuple, list), _list_hook), ((dict, Mapping), _table_hook)):
        converter.register_structure_hook_factory(
            functools.partial(_is_of, origins), functools.partial(hook, converter)
        )
    converter.register_structure_hook(Secret, _secret)
    converter.register_structure_hook(enum.Enum, _member)
    return converter


def _exactly(kind: type, article: str, value: Any, _: Any) -> Any:
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return str(value) if kind is str else value
    raise ValueError(f"must be {article}, not {_shown(value)}")


def _number(value: Any, _: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 10**300:
        return float(value)
    raise ValueError(f"must be a number, not {_shown(value)}")


def _is_of(origins: tuple[Any, ...], hint: Any) -> bool:
    return typing.get_origin(hint) in origins


def _list_hook(converter: Any, hint: Any) -> Callable[[Any, Any], Any]:
    """Return what structures a list; cattrs alone would take a text apart into its letters."""
    origin, inner = typing.get_origin(hint), next(iter(typing.get_args(hint)), Any)

    def structure_list(value: Any, _: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"must be a list, not {_shown(value)}")  # noqa: TRY004  (as in _secret)
        return origin(converter.structure(one, inner) for one in value)

    return structure_list


def _table_hook(converter: Any, hint: Any) -> Callable[[Any, Any], Any]:
    """Return what structures a table of values of one kind."""
    inner = next(iter(typing.get_args(hint)[1:]), Any)

    def structure_table(value: Any, _: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"must be a table, not {_shown(value)}")  # noqa: TRY004  (as in _secret)
        return {str(key): converter.structure(one, inner) for key, one in value.items()}

    return structure_table


def _shown(value: Any) -> str:
    return f"{value!r:.60}" if isinstance(value, (str, int, float, bool)) else f"a {type(value).__name__}"


def _secret(value: Any, _: Any) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        raise ValueError(IN_CLEAR)  # noqa: TRY004  (a problem of settings, not of the program)
    if not isinstance(value, Mapping) or len(value) != 1 or not {"env", "file", "vault"} >= set(value):
        raise ValueError(ONE_OF)
    return Secret(**value)


def _member(value: Any, hint: Any) -> Any:
    if isinstance(value, hint):
        return value
    try:
        return hint(value)
    except ValueError:
        choices = [str(one.value) for one in hint]
        guess = difflib.get_close_matches(str(value), choices, 1)
        meant = f"; did you mean {guess[0]}?" if guess else ""
        raise ValueError(f"must be one of {', '.join(choices)}, not {_shown(value)}{meant}") from None
