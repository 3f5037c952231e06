"""Settings classes: every problem at once, one sentence each; who may set what; forms."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox import InvalidSettings, Secret
from pillarbox._leading import not_allowed
from pillarbox._schema import problems_of, put, take_out
from pillarbox._settings import secrets_of
from pillarbox.settings import Role, between, destination, form, setting, structure, unstructure


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@attrs.frozen(kw_only=True)
class Example:
    server: str = setting(help="The server.", binds=True)
    port: int = setting(25, check=between(1, 65535), binds=True)
    colour: Colour = setting(Colour.RED)
    strict: bool = setting(True)
    seconds: float = setting(1.5)
    names: tuple[str, ...] = setting(())
    extra: Mapping[str, str] = setting(factory=dict)
    command: str = setting("", set_by=Role.DEPLOYER)
    shown: str = setting("", set_by=Role.ADMINISTRATOR)
    password: Secret | None = setting(None)

    def __attrs_post_init__(self):
        if self.strict and self.server == "loose":
            raise ValueError("server: must not be loose while strict")
        if self.server == "several":
            raise InvalidSettings(["server: is one", "port: is another", "the third is of no field: really"])


def told(table):
    return [str(problem) for problem in problems_of(Example, table, "company.x")]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "company.x.server         is required"),
        ({"server": 3}, "company.x.server         must be text, not 3"),
        ({"server": "a", "port": 99999}, "company.x.port           must be between 1 and 65535, not 99999"),
        ({"server": "a", "port": "25"}, "company.x.port           must be a whole number, not '25'"),
        ({"server": "a", "port": True}, "company.x.port           must be a whole number, not True"),
        ({"server": "a", "strict": "yes"}, "company.x.strict         must be true or false, not 'yes'"),
        ({"server": "a", "seconds": "2"}, "company.x.seconds        must be a number, not '2'"),
        (
            {"server": "a", "colour": "rad"},
            "company.x.colour         must be one of red, green, not 'rad'; did you mean red?",
        ),
        ({"server": "a", "sever": "b"}, "company.x.sever          is not a setting; did you mean server?"),
        ({"server": "a", "zzz": 1}, "company.x.zzz            is not a setting"),
        ({"server": "a", "names": "b"}, "company.x.names          must be a list, not 'b'"),
        ({"server": "a", "names": {"b": 1}}, "company.x.names          must be a list, not a dict"),
        ({"server": "a", "names": [1]}, "company.x.names          must be text, not 1"),
        ({"server": "a", "extra": "b"}, "company.x.extra          must be a table, not 'b'"),
        ({"server": "a", "extra": {"b": 1}}, "company.x.extra          must be text, not 1"),
        ({"server": "a", "seconds": 10**400}, "company.x.seconds        must be a number"),
        ({"server": "a", "seconds": float("nan")}, "company.x.seconds        must be a number"),
        ({"server": "a", "password": 12345}, "company.x.password       must be one of {"),
        ({"server": "a", "password": {"env": ""}}, "company.x.password       must be one of {"),
        (
            {"server": "a", "password": {"env": 3}},
            "company.x.password       must name an environment variable",
        ),
        ({"server": "a", "password": {"vault": "../x"}}, "company.x.password       must name a vault entry"),
        (
            {"server": "a", "password": {"vault": "sign-in"}},
            "company.x.password       must name a vault entry",
        ),
        ({"server": "a", "x" * 300: 1}, "company.x." + "x" * 60),
        ({"server": "a", "b\x1b[2J": 1}, "company.x.b[2J           is not a setting"),
        (
            {"server": "a", "password": "hunter2"},
            "company.x.password       can't stand in the settings in clear; use",
        ),
        ({"server": "a", "password": {"env": "A", "file": "b"}}, "company.x.password       must be one of"),
        ({"server": "a", "password": {"url": "b"}}, "company.x.password       must be one of"),
        ({"server": "loose"}, "company.x.server         must not be loose while strict"),
        ("text", "company.x                must be a table of settings"),
    ],
)
def test_a_problem_is_a_sentence_with_its_place(table, said):
    """The path, then what is wrong and what would be right."""
    problems = told(table)
    assert len(problems) == 1
    assert problems[0].startswith(said)


def test_every_problem_is_told_at_once():
    """Nobody mends a file one run at a time."""
    problems = told({"port": 0, "colour": 7, "sever": "a", "password": "hunter2"})
    assert len(problems) == 5
    assert "hunter2" not in "".join(problems)


def test_each_problem_of_the_whole_stands_at_its_field():
    """A class may find several at once, `field: sentence`; what is no field's is the table's."""
    assert told({"server": "several"}) == [
        "company.x.server         is one",
        "company.x.port           is another",
        "company.x                the third is of no field: really",
    ]


def test_structure_raises_them_together():
    """InvalidSettings carries each, and the place."""
    with pytest.raises(InvalidSettings) as refusal:
        structure(Example, {"port": 0}, "users.anna.x")
    assert len(refusal.value.problems) == 2
    assert refusal.value.where == "users.anna.x"


def test_what_is_structured_and_back_is_equal():
    """Only what differs from its default is written."""
    table = {"server": "a", "colour": "green", "password": {"file": "/run/secrets/p"}, "names": ["x"]}
    assert unstructure(structure(Example, table)) == table
    assert unstructure(structure(Example, {"server": "a"})) == {"server": "a"}


@given(
    st.dictionaries(
        st.sampled_from(["server", "port", "colour", "strict", "names", "password", "x"])
        | st.text(max_size=5),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=8)
        | st.lists(st.text(max_size=3), max_size=2)
        | st.dictionaries(st.sampled_from(["env", "file", "vault", "y"]), st.text(max_size=3), max_size=2),
        max_size=6,
    )
)
def test_any_table_is_structured_or_refused_in_sentences(table):
    """Nothing but InvalidSettings, with at least one problem, and what passes has no problem."""
    try:
        made = structure(Example, table, "x")
    except InvalidSettings as refusal:
        assert refusal.problems
        assert all(len(problem) < 700 and "\n" not in problem for problem in refusal.problems)
    else:
        assert problems_of(Example, table) == []
        assert structure(Example, unstructure(made)) == made


def test_a_form_says_all_that_a_page_needs():
    """Kind, label, help, choices, default, who may set it."""
    fields = {field.name: field for field in form(Example)}
    assert [field.kind for field in fields.values()] == [
        "text", "integer", "choice", "boolean", "number", "list", "table", "text", "text", "secret",
    ]  # fmt: skip
    assert fields["server"].required
    assert fields["colour"].choices == ("red", "green")
    assert fields["server"].help == "The server."
    assert fields["command"].set_by is Role.DEPLOYER


def test_the_destination_is_what_binds():
    """Rule 36: the fields that say where a secret may go."""
    assert destination(structure(Example, {"server": "a", "shown": "b"})) == {"server": "a", "port": "25"}


@attrs.frozen
class ByProxy:
    """Settings with a secret that goes to a proxy, and so not where the password goes."""

    server: str = setting("", binds=True)
    proxy: str = setting("", set_by=Role.DEPLOYER)
    password: Secret | None = setting(None)
    proxy_password: Secret | None = setting(None, set_by=Role.DEPLOYER, goes_to=("proxy",))


def test_a_secret_may_go_elsewhere_than_the_others():
    """It is bound to what it names, and what the others are bound to is not its affair."""
    settings = ByProxy("mail.example", "proxy.example")
    assert destination(settings, "proxy_password") == {"proxy": "proxy.example"}
    assert destination(settings, "password") == destination(settings) == {"server": "mail.example"}


def test_a_secret_that_goes_elsewhere_leaves_the_server_to_its_owner():
    """The deployer keeps the proxy's password, and an owner still types a server of their own."""
    before = {"server": "a", "proxy": "p", "proxy_password": {"env": "PROXY_PW"}}
    assert not_allowed(ByProxy, before, before | {"server": "b"}, Role.OWNER) == []
    both = before | {"password": {"env": "ACME_PW"}}
    assert [one.path for one in not_allowed(ByProxy, both, both | {"server": "b"}, Role.OWNER)] == ["server"]


ROLES = list(Role)
CHANGES = [
    ("server", "b", Role.OWNER),
    ("shown", "b", Role.ADMINISTRATOR),
    ("command", "/bin/x", Role.DEPLOYER),
    ("password", {"vault": "x"}, Role.OWNER),
    ("password", {"env": "HOME"}, Role.DEPLOYER),
    ("password", {"file": "/etc/shadow"}, Role.DEPLOYER),
]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("field", "value", "needed"), CHANGES)
def test_who_may_set_a_field(role, field, value, needed):
    """Rule 35: paths, commands and references to variables and files are the deployer's alone."""
    allowed = ROLES.index(role) <= ROLES.index(needed)
    assert (not_allowed(Example, {"server": "a"}, {"server": "a", field: value}, role) == []) is allowed


def test_what_is_unchanged_may_stay():
    """An owner who changes the server keeps the deployer's command."""
    before = {"server": "a", "command": "/bin/x"}
    assert not_allowed(Example, before, {**before, "server": "b"}, Role.OWNER) == []
    assert len(not_allowed(Example, before, {"server": "a"}, Role.OWNER)) == 1


KEPT = {"server": "a", "password": {"env": "ACME_PW"}}


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        (KEPT, KEPT | {"server": "evil.example"}, ["server"]),
        (KEPT, KEPT | {"port": 2525}, ["port"]),
        (KEPT, KEPT | {"colour": "green"}, []),
        (KEPT, {"server": "evil.example", "password": {"vault": "x"}}, []),
        (KEPT, {"server": "evil.example"}, []),
        ({"server": "a", "password": {"vault": "x"}}, {"server": "b", "password": {"vault": "x"}}, []),
        (
            {"server": "a", "password": {"vault": "x"}},
            KEPT | {"server": "evil.example"},
            ["password", "server"],
        ),
        (KEPT, {"server": "evil.example", "password": {"file": "/x"}}, ["password", "server"]),
        (KEPT, {"server": "evil.example", "password": Secret(env="ACME_PW")}, ["password", "server"]),
        (KEPT, {"server": "evil.example", "password": "clear"}, []),
    ],
)
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.OWNER])
def test_a_secret_that_the_deployer_keeps_goes_only_where_the_deployer_said(role, before, after, refused):
    """No vault binds a variable or a file: whoever owns the form could send it to a server of their own (rules 35, 36)."""
    found = not_allowed(Example, before, after, role)
    assert sorted(problem.path for problem in found) == refused
    assert not_allowed(Example, before, after, Role.DEPLOYER) == []


def test_without_binding_fields_every_field_may_lead_a_secret_away():
    """An author who binds nothing has not said what is harmless."""

    @attrs.frozen
    class Loose:
        host: str = setting("")
        password: Secret | None = setting(None)

    before = {"host": "a", "password": {"env": "ACME_PW"}}
    assert [one.path for one in not_allowed(Loose, before, before | {"host": "b"}, Role.ADMINISTRATOR)] == [
        "host"
    ]


@pytest.mark.parametrize(
    "wrong",
    [{}, {"env": "A", "vault": "b"}, {"env": 3}, {"file": "a\x00b"}, {"vault": "a/b"}, {"vault": "sign-in"}],
)
def test_a_secret_is_exactly_one_reference(wrong):
    """Never none, never two."""
    with pytest.raises(ValueError, match="must"):
        Secret(**wrong)


@attrs.frozen(kw_only=True)
class Shelf:
    """A second place that an account talks to."""

    server: str = setting(binds=True)
    folder: str = setting("")
    ca_file: str = setting("", set_by=Role.DEPLOYER, binds=True)
    password: Secret | None = setting(None)


@attrs.frozen(kw_only=True)
class WithShelf:
    server: str = setting(binds=True)
    password: Secret | None = setting(None)
    shelf: Shelf | None = setting(None, label="Sent copy", set_by=Role.ADMINISTRATOR, advanced=True)


KEPT, OWN = {"vault": "x"}, {"vault": "x-shelf"}


def nested(**shelf):
    return {"server": "a", "password": KEPT, "shelf": shelf}


def test_a_form_shows_the_fields_of_a_nested_table():
    fields = {field.name: field for field in form(WithShelf)}
    assert list(fields) == [
        "server",
        "password",
        *(f"shelf.{n}" for n in ("server", "folder", "ca_file", "password")),
    ]
    assert fields["shelf.server"].label == "Sent copy server"
    assert not fields["shelf.server"].required
    assert fields["shelf.folder"].set_by is Role.ADMINISTRATOR
    assert fields["shelf.ca_file"].set_by is Role.DEPLOYER
    assert fields["shelf.password"].goes_to == ("shelf.server", "shelf.ca_file")


def test_a_nested_secret_goes_to_its_own_table_alone():
    made = structure(WithShelf, nested(server="b", password=OWN))
    assert destination(made) == {"server": "a"}
    assert destination(made, "password") == {"server": "a"}
    assert destination(made, "shelf.password") == {"shelf.server": "b", "shelf.ca_file": ""}
    assert secrets_of(made) == {"password": Secret(vault="x"), "shelf.password": Secret(vault="x-shelf")}


def test_a_nested_table_without_a_secret_binds_those_of_the_account():
    made = structure(WithShelf, nested(server="b"))
    assert destination(made, "password") == {"server": "a", "shelf.server": "b", "shelf.ca_file": ""}
    assert destination(structure(WithShelf, {"server": "a", "password": KEPT}), "password") == {"server": "a"}


@pytest.mark.parametrize(
    ("shelf", "said"),
    [
        (
            {"sever": "b"},
            [
                "x.shelf.sever            is not a setting; did you mean server?",
                "x.shelf.server           is required",
            ],
        ),
        ({"server": 3}, ["x.shelf.server           must be text, not 3"]),
        (
            {"server": "b", "password": "pw"},
            [
                'x.shelf.password         can\'t stand in the settings in clear; use { env = "NAME" }, { file = "PATH" } or { vault = "NAME" }'
            ],
        ),
        ("b", ["x.shelf                  must be a table of settings"]),
    ],
)
def test_problems_in_a_nested_table_are_told_at_their_place(shelf, said):
    table = {"server": "a", "password": KEPT, "shelf": shelf}
    assert [str(problem) for problem in problems_of(WithShelf, table, "x")] == said


def test_nobody_leads_a_secret_of_the_deployer_elsewhere_by_a_nested_table():
    """Neither by adding a table that uses it, nor by taking the table's own secret away."""
    table = {"server": "a", "password": {"env": "PW"}}
    said = ["x.shelf.server           can only be set by the deployer, who keeps the password"]
    own = {**table, "shelf": {"server": "evil", "password": OWN}}
    used = {**table, "shelf": {"server": "evil"}}
    assert refused(WithShelf, table, own) == []
    assert refused(WithShelf, table, used) == said
    assert refused(WithShelf, own, used) == said


def test_a_secret_of_the_deployer_in_a_nested_table_keeps_its_server():
    table = {"server": "a", "shelf": {"server": "b", "password": {"env": "PW"}}}
    moved = {"server": "c", "shelf": {"server": "evil", "folder": "F", "password": {"env": "PW"}}}
    assert refused(WithShelf, table, moved) == [
        "x.shelf.server           can only be set by the deployer, who keeps the shelf.password"
    ]


def refused(cls, before, after, role=Role.ADMINISTRATOR):
    return [str(problem) for problem in not_allowed(cls, before, after, role, "x")]


def test_what_stands_in_nested_tables_is_set_and_taken_out_without_touching_the_old():
    before = {"shelf": {"server": "b"}}
    table = dict(before)
    put(table, "shelf.folder", "F")
    put(table, "other.name", 1)
    take_out(table, "shelf.server")
    take_out(table, "nothing.there")
    assert table == {"shelf": {"folder": "F"}, "other": {"name": 1}}
    assert before == {"shelf": {"server": "b"}}


def test_what_is_left_out_follows_from_what_is_typed():
    """A form shows it before the rest is typed; what can't be used counts as not typed."""
    from pillarbox.settings import defaults
    from pillarbox_smtp import SmtpSettings

    assert [defaults(SmtpSettings, {"encryption": one})["port"] for one in ("none", "starttls", "tls", "tsl")] == [
        25, 587, 465, 587,
    ]  # fmt: skip
    assert "port" not in defaults(SmtpSettings, {"port": 2525})
    assert "server" not in defaults(SmtpSettings, {})
