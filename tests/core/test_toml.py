"""TomlDirectory: read, refused in sentences, changed without losing a comment, replaced whole."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import warnings

import attrs
import pytest

from pillarbox import (
    Actor,
    Changed,
    Choice,
    Company,
    InvalidSettings,
    Role,
    SettingsError,
    TomlDirectory,
    User,
)
from pillarbox._locks import file_lock
from tests.core.doubles import plugins

GOOD = """\
# The company, and why.
[company]
address = "orders@acme.example"  # ours
name = "Acme Ltd"
method = "umail"

[company.umail]
server = "smtp.acme.example"     # the old one
password = { env = "PW" }

[users.anna]
address = "anna@acme.example"
name = "Anna Berg"

# Otto likes his own.
[users.otto]
address = "otto@acme.example"
settings = "personal"
method = "umail"

[users.otto.umail]
server = "mail.acme.example"
"""
DEPLOYER = Actor("root", Role.DEPLOYER)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "pillarbox.toml"
    file.write_text(GOOD, "utf-8")
    file.chmod(0o600)
    return file


def opened(path):
    return TomlDirectory(path, plugins=plugins())


def test_it_answers_for_the_company_and_its_users(path):
    """Records as they stand in the file, settings structured."""
    company, otto = opened(path).look_up("otto")
    assert (company.method, company.methods["umail"].server) == ("umail", "smtp.acme.example")
    assert (otto.choice, otto.methods["umail"].server) == (Choice.PERSONAL, "mail.acme.example")
    assert company.typed_by is otto.typed_by is Role.DEPLOYER


def test_an_unknown_user_is_refused_with_a_guess(path):
    """Rule 3: never served by the company."""
    with pytest.raises(SettingsError, match="Did you mean anna"):
        opened(path).look_up("ana")


def test_it_gives_the_same_objects_until_the_file_changes(path):
    """So that a mailer can know what it knew."""
    directory = opened(path)
    assert directory.look_up("anna")[1] is directory.look_up("anna")[1]
    path.write_text(GOOD.replace("Anna Berg", "Anna Lind"), "utf-8")
    assert directory.look_up("anna")[1].name == "Anna Lind"


BAD = [
    ("company = 3", "company                  must be a table"),
    ("[company]\nadress = 'a@b.example'", "company.adress           is not a setting; did you mean address?"),
    ("[company]\naddress = 3", "company.address          must be text, not 3"),
    ("[company]\naddress = 'x'", "company.address          'x' is not an e-mail address"),
    ("[company]\nmethod = 'SMTP'", "company.method           must be a method's name in lower case"),
    ("[compny]", "compny                   is not a setting; did you mean company?"),
    ("[users]\nanna = 3", "users.anna               must be a table"),
    (
        "[users.anna]\nsetings = 'company'",
        "users.anna.setings       is not a setting; did you mean settings?",
    ),
    (
        "[users.anna]\nsettings = 'compny'",
        "users.anna.settings      must be one of company, personal, not 'compny'",
    ),
    ("[users.anna]\ndisabled = 'no'", "users.anna.disabled      must be true or false"),
    ("[users.'a b']", "is not a user's id"),
    (
        "[company.umial]\nserver = 'x'",
        "company.umial            is neither a setting nor a method; did you mean umail?",
    ),
    ("[company.umail]\nport = 0", "company.umail.port       must be between 1 and 65535, not 0"),
    (
        "[company.umail]\npassword = 'hunter2'",
        "company.umail.password   can't stand in the settings in clear",
    ),
    ("[deployment]\nprivate_networks = 'x'\nplugin = []", "deployment.plugin"),
    ("[company", "TOML                     can't be read: expected ']'"),
    ("[company]\nname = 'a'\nname = 'b'", "TOML                     can't be read: cannot overwrite a value"),
    ("a = " + "[" * 5000, "TOML                     can't be read"),
    ("x = '\x00'", "TOML                     can't be read"),
    ("[company]\r[users]", "TOML                     can't be read"),
    ("[company]\nname = 'a\x1b[2J'", "can't be read"),
    ('[company]\nname = "a\\u001b[2J"', "company.name             The name holds a control character"),
    ("[company]\npassword = 'hunter2'", "company.password         is not a setting"),
    ("password = 'hunter2'", "password                 is not a setting"),
    ("[company.umail]\npasword = 'hunter2'", "is not a setting; did you mean password?"),
    (
        "[company.umail]\npassword = { env = 'A', file = '/b' }",
        "company.umail.password   must be one of { env",
    ),
    ("[company.umail]\npassword = { value = 'hunter2' }", "company.umail.password   must be one of { env"),
    ("[company.umail]\npassword = ['hunter2']", "company.umail.password   must be one of { env"),
    ("[company.umail.password]\nvault = 'sign-in'", "company.umail.password   must name a vault entry"),
    ("[company]\nsettings = 'personal'", "company.settings         is not a setting"),
    (
        "[company]\ntyped_by = 'root'",
        "company.typed_by         must be one of deployer, administrator, owner",
    ),
    ("[users.anna]\nid = 'otto'", "users.anna.id            is not a setting"),
    ("[users.anna]\nreply_to = 'a@b.example'", "users.anna.reply_to      is not a setting"),
    ("[users.anna.'U Mail']\nserver = 'x'", "is neither a setting nor a method"),
    ("[users.anna.umail.server]\nx = 1", "users.anna.umail.server  must be text, not a dict"),
    ("[[company]]", "company                  must be a table"),
    ("[[users.anna]]", "users.anna               must be a table"),
    ("[deployment]\nplugins = 'all'", "deployment.plugins       must be a list, not 'all'"),
    ("[deployment.methods]\nsmtp = 1", "deployment.methods       must be text, not 1"),
    ("outbox = 1", "outbox                   must be a table"),
    (
        "[company.m365]\n" + "a." * 3000 + "b = 1",
        "company.m365             is nested too deeply",
    ),
    ("[apps.m365]\n" + "a." * 50 + "b = 1", "apps                     is nested too deeply"),
    ("[users]\n" + "'" + "u" * 101 + "' = {}", "is not a user's id"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_refused_in_a_sentence_and_untouched(path, text, said):
    """The place and what is wrong; exit 78; nothing is lost."""
    path.write_bytes(text.encode())
    with pytest.raises(InvalidSettings) as refusal:
        opened(path).look_up(None)
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("pillarbox.toml has ")
    assert refusal.value.exit_code == 78
    assert "hunter2" not in str(refusal.value)
    assert "\x1b" not in str(refusal.value)
    assert path.read_bytes() == text.encode()
    with pytest.raises(InvalidSettings):
        opened(path).save(User(id="new"), version="", by=DEPLOYER)
    assert path.read_bytes() == text.encode()


def test_all_problems_of_a_file_are_told_together(path):
    """Whatever part they stand in."""
    path.write_text(
        "[company]\nadress='x'\n[company.umail]\nport=0\nsever='x'\n[users.anna]\nname=1\n[users.otto]\nsettings='x'\n"
    )
    with pytest.raises(InvalidSettings) as refusal:
        opened(path).look_up(None)
    assert len(refusal.value.problems) == 5


def test_a_thousand_problems_are_not_a_flood(path):
    """The first fifty, and how many more."""
    path.write_text("".join(f"[users.u{number}]\nname = 1\n" for number in range(1000)))
    with pytest.raises(InvalidSettings) as refusal:
        opened(path).look_up(None)
    assert len(refusal.value.problems) == 51
    assert refusal.value.problems[-1] == "... and 950 more"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "There is no settings file"),
        (lambda path: path.chmod(0o606), "can be written by others"),
        (lambda path: (path.chmod(0o660), os.chown(path, -1, 12345)), "can be written by others"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/zero")), "not a regular file"),
        (lambda path: (path.unlink(), path.symlink_to(path)), "can't be read"),
        (lambda path: (path.unlink(), path.symlink_to("nowhere")), "There is no settings file"),
        (lambda path: path.write_bytes(b"# caf\xe9\n"), "is not UTF-8"),
        (lambda path: (path.unlink(), path.mkdir()), "not a regular file|can't be read"),
        (lambda path: (path.unlink(), os.mkfifo(path, 0o600)), "not a regular file"),
        (lambda path: os.truncate(path, 65 * 1024 * 1024), "larger than 64 MiB"),
    ],
    ids=["missing", "writable", "group", "device", "loop", "dangling", "latin-1", "folder", "fifo", "huge"],
)
def test_a_file_that_is_none_is_refused(path, spoil, said):
    """At once, without blocking and without reading what is too large (rule 40)."""
    spoil(path)
    with pytest.raises(SettingsError, match=said):
        opened(path).look_up(None)


def test_a_method_that_is_not_installed_stops_nobody_else(path):
    """Its table is left alone, with a warning."""
    path.write_text(
        GOOD + "\n[users.carl]\nsettings='personal'\nmethod='m365'\n[users.carl.m365]\nanything = [1, 2]\n"
    )
    directory = opened(path)
    assert directory.look_up("anna")[1].name == "Anna Berg"
    assert any("users.carl.m365" in warning and "pillarbox-m365" in warning for warning in directory.warnings)


def test_a_change_keeps_comments_and_order(path):
    """People edit the file too."""
    directory = opened(path)
    company, _ = directory.look_up(None)
    settings = attrs.evolve(company.methods["umail"], server="new.acme.example")
    directory.save(attrs.evolve(company, methods={"umail": settings}), version=company.version, by=DEPLOYER)
    expected = GOOD.replace('server = "smtp.acme.example"     # the old one', 'server = "new.acme.example"')
    assert path.read_text() in {expected, GOOD.replace("smtp.acme.example", "new.acme.example")}
    assert "# The company, and why." in path.read_text()
    assert "# Otto likes his own." in path.read_text()


def test_what_was_saved_is_read_back(path):
    """Every field of a user."""
    directory = opened(path)
    new = User(id="carl", address="carl@acme.example", name='Carl "C" Weber', choice=Choice.PERSONAL, method="umail",
               methods={"umail": {"server": "x.example", "password": {"vault": "umail"}}}, disabled=True)  # fmt: skip
    version = directory.save(new, version="", by=DEPLOYER)
    _, found = opened(path).look_up("carl")
    assert attrs.evolve(found, methods={}) == attrs.evolve(new, methods={}, typed_by=Role.DEPLOYER)
    assert found.version == version
    assert found.methods["umail"].password.vault == "umail"


def test_two_editors_at_once_are_told(path):
    """The second one's version is old."""
    first, second = opened(path), opened(path)
    anna = first.look_up("anna")[1]
    first.save(attrs.evolve(anna, name="One"), version=anna.version, by=DEPLOYER)
    with pytest.raises(Changed):
        second.save(attrs.evolve(anna, name="Two"), version=anna.version, by=DEPLOYER)
    assert opened(path).look_up("anna")[1].name == "One"


def test_changes_of_different_records_do_not_collide(path):
    """Only the record that was edited counts."""
    directory = opened(path)
    anna, otto = directory.look_up("anna")[1], directory.look_up("otto")[1]
    directory.save(attrs.evolve(anna, name="A"), version=anna.version, by=DEPLOYER)
    directory.save(attrs.evolve(otto, name="O"), version=otto.version, by=DEPLOYER)
    assert [directory.look_up(user)[1].name for user in ("anna", "otto")] == ["A", "O"]


def test_many_threads_lose_no_change(path):
    """A lock and the version: twenty users are added by four threads."""
    directory = opened(path)

    def add(start):
        for number in range(start, 20, 4):
            directory.save(User(id=f"u{number}"), version="", by=DEPLOYER)

    threads = [threading.Thread(target=add, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(opened(path).users(limit=100)) == 22


def test_a_bad_change_writes_nothing(path):
    """The file stays as it was, to the octet."""
    directory = opened(path)
    company, _ = directory.look_up(None)
    with pytest.raises(InvalidSettings):
        directory.save(
            attrs.evolve(company, methods={"umail": {"port": 0}}), version=company.version, by=DEPLOYER
        )
    assert path.read_text() == GOOD


@pytest.mark.parametrize(
    ("change", "role", "allowed"),
    [
        ({"address": "ceo@acme.example"}, Role.OWNER, False),
        ({"address": "a@acme.example"}, Role.ADMINISTRATOR, True),
        ({"disabled": True}, Role.OWNER, False),
        (
            {"choice": Choice.PERSONAL, "method": "umail", "methods": {"umail": {"server": "evil.example"}}},
            Role.OWNER,
            True,
        ),
        ({"methods": {"umail": {"command": "/bin/sh"}}}, Role.ADMINISTRATOR, False),
        ({"methods": {"umail": {"password": {"file": "/etc/passwd"}}}}, Role.OWNER, False),
        ({"methods": {"umail": {"password": {"env": "HOME"}}}}, Role.ADMINISTRATOR, False),
        ({"methods": {"umail": {"password": {"vault": "umail"}}}}, Role.OWNER, True),
        ({"methods": {"gmail": {"x": 1}}}, Role.OWNER, False),
    ],
)
def test_who_may_change_what(path, change, role, allowed):
    """Rule 35, on every way that leads to save."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    act = attrs.evolve(anna, **change)
    if allowed:
        assert directory.save(act, version=anna.version, by=Actor("anna", role))
        return
    with pytest.raises(InvalidSettings, match="can only be set by"):
        directory.save(act, version=anna.version, by=Actor("anna", role))
    assert path.read_text() == GOOD


def test_what_a_person_typed_is_marked_as_theirs(path):
    """Rule 38 needs to know: the host may name a machine inside."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    directory.save(
        attrs.evolve(anna, methods={"umail": {"server": "10.0.0.1"}}), version=anna.version, by=Actor("anna")
    )
    assert opened(path).look_up("anna")[1].typed_by is Role.OWNER
    again = opened(path).look_up("anna")[1]
    directory.save(attrs.evolve(again, name="A"), version=again.version, by=DEPLOYER)
    assert opened(path).look_up("anna")[1].typed_by is Role.OWNER, (
        "a change of the name does not vouch for the server"
    )


def test_nobody_can_mark_their_own_typing_as_the_deployers(path):
    """typed_by in the record that is handed over is not believed."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    trick = attrs.evolve(anna, methods={"umail": {"server": "10.0.0.1"}}, typed_by=Role.DEPLOYER)
    directory.save(trick, version=anna.version, by=Actor("anna"))
    assert opened(path).look_up("anna")[1].typed_by is Role.OWNER


def test_the_history_says_who_changed_what(path):
    """And outlives the user (rule 7)."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    directory.save(attrs.evolve(anna, name="A"), version=anna.version, by=Actor("bob", Role.ADMINISTRATOR))
    directory.remove("anna", by=DEPLOYER)
    changes = directory.history("user:anna")
    assert [(change.by, change.what) for change in changes] == [
        ("bob", ("name",)),
        ("root", ("address", "name")),
    ]
    assert (path.with_name("pillarbox.history.jsonl").stat().st_mode & 0o777) == 0o600


def test_the_files_mode_is_kept(path):
    """A file that a group may read stays so."""
    path.chmod(0o640)
    directory = opened(path)
    directory.save(User(id="new"), version="", by=DEPLOYER)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(path, tmp_path):
    """The file behind it is replaced."""
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    opened(link).save(User(id="new"), version="", by=DEPLOYER)
    assert link.is_symlink()
    assert "[users.new]" in path.read_text()


def test_create_overwrites_nothing(path):
    """Not a file, not a dangling link."""
    with pytest.raises(SettingsError, match="exists already"):
        TomlDirectory.create(path, Company())
    assert path.read_text() == GOOD


def test_killed_in_the_middle_of_a_change_the_file_is_whole(path):
    """Old or new, never half: at every one of the calls that write."""
    code = textwrap.dedent("""
        import os, sys, attrs
        from pillarbox import Actor, Role, TomlDirectory, User
        calls, limit = 0, int(sys.argv[2])
        def spy(event, arguments):
            global calls
            if event in {"open", "os.rename", "os.chmod"} and sys.argv[1] in str(arguments[:2]):
                calls += 1
                if calls == limit:
                    os._exit(9)
        sys.addaudithook(spy)
        TomlDirectory(sys.argv[1] + "/pillarbox.toml").save(User(id="new" + sys.argv[2]), version="", by=Actor("x", Role.DEPLOYER))
    """)
    path.write_text("[company]\nname = 'Acme'\n")
    ends = []
    for limit in range(1, 12):
        done = subprocess.run(
            [sys.executable, "-c", code, str(path.parent), str(limit)], capture_output=True, timeout=60
        )
        ends.append(done.returncode)
        assert TomlDirectory(path).look_up(None)[0].name == "Acme"
        if done.returncode == 0:
            break
    assert ends[-1] == 0, "the change was never finished"
    assert ends.count(9) >= 3
    assert TomlDirectory(path).look_up(f"new{len(ends)}")[1]


def test_a_byte_order_mark_is_borne_and_kept(path):
    """Windows' editors put one; it is no reason to refuse the file, nor to take it away."""
    path.write_text("\ufeff" + GOOD, "utf-8")
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    directory.save(attrs.evolve(anna, name="A"), version=anna.version, by=DEPLOYER)
    assert path.read_text("utf-8").startswith("\ufeff# The company, and why.")
    assert opened(path).look_up("anna")[1].name == "A"


LAYOUTS = {
    "inline": "company = { address = 'orders@acme.example' }\nusers = { anna = { name = 'A' }, otto = { name = 'O' } }\n",
    "dotted": "company.address = 'orders@acme.example'\nusers.anna.name = 'A'\nusers.otto.name = 'O'\n",
    "half dotted": "[company]\naddress = 'orders@acme.example'\n[users]\nanna.name = 'A'\notto.name = 'O'\n",
    "out of order": "[users.anna]\nname='A'\n[company]\naddress = 'orders@acme.example'\n[users.otto]\nname = 'O'\n",
    "method first": "[users.anna.umail]\nserver = 'x'\n[users.otto]\nname = 'O'\n[users.anna]\nname = 'A'\n",
    "windows": "[company]\r\naddress = 'orders@acme.example' # ours\r\n[users.anna]\r\nname = 'A'\r\n[users.otto]\r\nname = 'O'\r\n",
    "quoted": "['company']\naddress = 'orders@acme.example'\n['users'.\"anna\"]\n'name' = 'A'\n[users.otto]\nname = 'O'\n",
    "no company": "[users.anna]\nname = 'A'\n[users.otto]\nname = 'O'\n",
    "last line": "[users.anna]\nname = 'A'\n[users.otto]\nname = 'O'",
}  # fmt: skip
CHANGES = {
    "change": lambda directory, anna: directory.save(attrs.evolve(anna, name="B"), version=anna.version, by=DEPLOYER),
    "extend": lambda directory, anna: directory.save(
        attrs.evolve(anna, methods={"umail": {"server": "y", "password": {"vault": "p"}}}), version=anna.version, by=DEPLOYER
    ),
    "company": lambda directory, anna: directory.save(
        attrs.evolve(directory.look_up(None)[0], name="Acme"), version=directory.look_up(None)[0].version, by=DEPLOYER
    ),
    "add": lambda directory, anna: directory.save(User(id="a.b 'c'".replace(" ", "")), version="", by=DEPLOYER),
    "remove": lambda directory, anna: directory.remove("anna", by=DEPLOYER),
    "rename": lambda directory, anna: directory.rename("anna", 'o"d.d', by=DEPLOYER),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("act", CHANGES)
def test_any_layout_is_changed_rightly_or_not_at_all(path, layout, act):
    """What tomlkit can't write is refused in a sentence; Otto is there in any case, and the file is whole."""
    path.write_bytes(LAYOUTS[layout].encode())
    directory = opened(path)
    anna, otto = directory.look_up("anna")[1], directory.look_up("otto")[1]
    users = {user.id for user in directory.users()}
    try:
        CHANGES[act](directory, anna)
    except SettingsError as refusal:
        assert "laid out" in str(refusal)
        assert path.read_bytes() == LAYOUTS[layout].encode()
        return
    again = opened(path)
    assert again.look_up("otto")[1] == otto
    gone, new = {"remove": ("anna", None), "rename": ("anna", 'o"d.d'), "add": (None, "a.b'c'")}.get(
        act, (None, None)
    )
    assert {user.id for user in again.users()} == (users - {gone}) | ({new} if new else set())
    if act in {"change", "extend"}:
        assert again.look_up("anna")[1] != anna


def test_the_usual_layouts_can_all_be_changed(path):
    """The refusal is for what nobody writes."""
    for layout in ("out of order", "windows", "quoted", "no company", "last line"):
        path.write_bytes(LAYOUTS[layout].encode())
        directory = opened(path)
        for act in CHANGES.values():
            act(directory, directory.look_up("anna")[1])
            path.write_bytes(LAYOUTS[layout].encode())


@pytest.mark.parametrize("moment", ["before", "behind"])
def test_an_editor_that_writes_at_the_same_time_loses_nothing(path, moment):
    """Somebody's editor takes no lock of ours: what it wrote stays, and the change is to be repeated."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    edited = GOOD.replace("Otto likes his own", "Otto has his own")

    class Meddling(TomlDirectory):
        def _refuse_moved(self, found, stamp):
            super()._refuse_moved(found, stamp)
            if self.checks == 0 and moment == "before":
                path.write_text(edited)
            self.checks += 1

        checks = 0

    meddling = Meddling(path, plugins=plugins())
    if moment == "behind":
        meddling.look_up("anna")
        path.write_text(edited)
        assert meddling.save(attrs.evolve(anna, name="A"), version=anna.version, by=DEPLOYER)
        assert "has his own" in path.read_text()
        return
    with pytest.raises(Changed, match="written by somebody else"):
        meddling.save(attrs.evolve(anna, name="A"), version=anna.version, by=DEPLOYER)
    assert path.read_text() == edited


def test_a_change_that_leaves_size_and_time_alone_is_seen(path):
    """Rsync --times --inplace, a clock that ticks coarsely: the time of the last change of status tells."""
    directory = opened(path)
    assert directory.look_up("anna")[1].name == "Anna Berg"
    before = path.stat()
    with path.open("r+") as file:
        file.write(GOOD.replace("Anna Berg", "Anna Lind"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert directory.look_up("anna")[1].name == "Anna Lind"


def test_a_file_that_was_only_touched_gives_the_same_objects(path):
    """What a mailer remembers of them stays good."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    os.utime(path)
    path.chmod(0o640)
    assert directory.look_up("anna")[1] is anna


def test_two_names_of_one_file_are_one_lock(path, tmp_path):
    """A link and the file itself: two processes that are led to it differently still wait for each other."""
    link = tmp_path / "elsewhere" / "pillarbox.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    with file_lock(path.with_name(".pillarbox.toml.lock")):
        child = subprocess.run(
            [sys.executable, "-c", LINKED, str(link)], capture_output=True, text=True, timeout=60
        )
    assert child.stdout == "SettingsError is being changed by another process\n", child.stderr


LINKED = textwrap.dedent("""
    import sys
    from pillarbox import Actor, Role, SettingsError, TomlDirectory, User, _locks
    defaults = _locks.file_lock.__wrapped__.__kwdefaults__
    defaults["timeout"] = 0.1
    try:
        TomlDirectory(sys.argv[1]).save(User(id="new"), version="", by=Actor("x", Role.DEPLOYER))
    except SettingsError as error:
        print(type(error).__name__, "is being changed by another process" if "being changed" in str(error) else error)
""")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away; run it as root")
def test_root_does_not_take_the_file_from_its_owner(path):
    """`sudo pillarbox user set` leaves it readable for the program that reads it."""
    os.chown(path, 12345, 12346)
    opened(path).save(User(id="new"), version="", by=DEPLOYER)
    found = path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (12345, 12346, 0o600)


def test_a_history_that_can_not_be_written_undoes_nothing(path):
    """The change stands; the warning is for the log."""
    path.with_name("pillarbox.history.jsonl").mkdir()
    opened(path).save(User(id="new"), version="", by=DEPLOYER)
    assert opened(path).look_up("new")[1]


def test_a_line_of_the_history_that_was_cut_is_left_out(path):
    """A crash in the middle of a line costs that line."""
    directory = opened(path)
    directory.save(User(id="one"), version="", by=DEPLOYER)
    history = path.with_name("pillarbox.history.jsonl")
    history.write_text(history.read_text() + '{"at": "2026-11-24T09:00:00+00:00", "by": "ro\n[1]\n\n{}\n')
    directory.save(User(id="two"), version="", by=DEPLOYER)
    assert [len(directory.history(f"user:{name}")) for name in ("one", "two")] == [1, 1]


@pytest.mark.parametrize("act", ["save", "create"])
def test_a_folder_that_can_not_be_written_is_a_sentence(tmp_path, act):
    """The place and the reason, exit 78."""
    missing = tmp_path / "missing" / "pillarbox.toml"
    acts = {
        "create": lambda: TomlDirectory.create(missing, Company()),
        "save": lambda: opened(missing).save(User(id="new"), version="", by=DEPLOYER),
    }
    with pytest.raises(SettingsError, match="can't be written: no such file or directory"):
        acts[act]()


def test_a_created_file_is_the_deployers(tmp_path):
    """Whoever makes it may name a server inside; nobody else reads it."""
    made = TomlDirectory.create(tmp_path / "new.toml", Company(method="umail"), plugins=plugins())
    assert made.look_up(None)[0].typed_by is Role.DEPLOYER
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert "typed_by" not in made.path.read_text()


def test_a_broken_file_does_not_say_that_an_account_is_gone(path):
    """A worker would hold every entry for it."""
    directory = opened(path)
    assert directory.account("user:otto").mailbox == "otto@acme.example"
    assert directory.account("user:nobody") is None
    assert directory.account("user:anna") is None
    path.write_text("[company")
    with pytest.raises(InvalidSettings):
        directory.account("user:otto")
    path.unlink()
    with pytest.raises(SettingsError):
        directory.account("user:otto")


def test_what_toml_can_not_hold_is_written_as_it_can(path):
    """None is left out, choices are text, tuples are lists; of a method that nobody knows here as well."""
    directory = opened(path)
    strange = {
        "nothing": None,
        "choice": Choice.PERSONAL,
        "several": ("a", "b"),
        "deep": {"none": None, "x": 1},
    }
    directory.save(User(id="new", methods={"later": strange}), version="", by=DEPLOYER)
    found = opened(path).look_up("new")[1].methods["later"]
    assert found == {"choice": "personal", "several": ["a", "b"], "deep": {"x": 1}}
    with pytest.raises(SettingsError, match="laid out"):
        directory.save(User(id="odd", methods={"later": {"x": object()}}), version="", by=DEPLOYER)


def test_a_forked_child_reads_the_file_though_another_thread_of_its_parent_was_reading(path):
    """The lock of that thread is not in the child's way."""
    directory = opened(path)
    held, release = threading.Event(), threading.Event()

    def read():
        with directory._guard:
            held.set()
            release.wait(30)

    thread = threading.Thread(target=read)
    thread.start()
    held.wait(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on, forking with threads is warned of
        child = os.fork()
    if not child:
        threading.Timer(20, os._exit, (1,)).start()
        os._exit(0 if directory.look_up("anna")[1].name == "Anna Berg" else 2)
    release.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
