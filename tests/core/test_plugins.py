"""What is installed: found by entry points, imported on demand; a broken, double or hostile one harms nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pillarbox import Transport, TransportNotInstalled, Unavailable
from pillarbox._plugins import Plugins
from tests.core.doubles import ByUser, Settings, plugins


def site(folder: Path, **distributions: dict[str, str]) -> Path:
    """Write distributions of one module each into *folder*; return it."""
    for name, parts in distributions.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(parts["module"]))
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(textwrap.dedent(parts["points"]))
    return folder


GOOD = """
    import attrs
    from pillarbox import Receipt, Transport
    @attrs.frozen
    class Settings: pass
    class T(Transport):
        settings: Settings
        label = "Good mail"
        def send(self, submission, journal):
            with journal.handing_over():
                return Receipt(submission.message_id)
"""


def run(folder: Path, code: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), **env}
    code = "from pillarbox import *\nfrom pillarbox._plugins import Plugins\n" + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment
    )


TELL = """
    for one in Plugins().describe():
        print(one.name, "|", one.label, "|", one.distribution, "|", one.problem)
"""


def test_a_strangers_method_is_listed_with_its_distribution(tmp_path):
    """Name, label, distribution."""
    folder = site(
        tmp_path, goodmail={"module": GOOD, "points": "[pillarbox.transports]\ngood = goodmail:T\n"}
    )
    printed = run(folder, TELL).stdout
    assert "good | Good mail | goodmail | \n" in printed


BROKEN = {
    "raises": "raise RuntimeError('boom')",
    "not_a_class": "T = 3",
    "another_class": "class T: pass",
    "no_settings": "from pillarbox import Transport\nclass T(Transport):\n    def send(self, s, j): ...",
    "not_there": "",
    "exits": "raise SystemExit(3)",
    "abstract": "import attrs\nfrom pillarbox import Transport\n@attrs.frozen\nclass S: pass\nclass T(Transport):\n    settings: S",
    "syntax": "class T(",
    "typed_away": "from __future__ import annotations\nfrom pillarbox import Transport\nclass T(Transport):\n"
    "    settings: Elsewhere\n    def send(self, s, j): ...",
    "plain_settings": "from pillarbox import Transport\nclass T(Transport):\n    settings: dict\n    def send(self, s, j): ...",
    "escapes": "raise RuntimeError('\\x1b[2Jboom\\n\\u202e')",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_method_is_told_and_harms_nobody(tmp_path, name):
    """The others work; the broken one says which distribution to mend."""
    folder = site(
        tmp_path,
        badmail={"module": BROKEN[name], "points": "[pillarbox.transports]\nbad = badmail:T\n"},
        goodmail={"module": GOOD, "points": "[pillarbox.transports]\ngood = goodmail:T\n"},
    )
    done = run(folder, TELL)
    assert done.returncode == 0, done.stderr
    assert "good | Good mail | goodmail | \n" in done.stdout
    assert "badmail can't be loaded" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_two_distributions_with_one_name_are_both_left_out(tmp_path):
    """Until the settings choose."""
    points = "[pillarbox.transports]\ngood = {}:T\n"
    folder = site(
        tmp_path,
        one={"module": GOOD, "points": points.format("one")},
        two={"module": GOOD, "points": points.format("two")},
    )
    code = """
        try:
            Plugins()["good"]
        except TransportNotInstalled as error:
            print(error)
        print(Plugins(chosen={"good": "two"})["good"].__module__)
    """
    printed = run(folder, code).stdout
    assert "one and two both offer the method good; neither is used. Choose one" in printed
    assert printed.endswith("two\n")


FILE = """
    [company]
    address = "orders@acme.example"
    method = "good"
    [company.good]
    [users.anna]
    address = "anna@acme.example"
    [users.otto]
    address = "otto@acme.example"
    settings = "personal"
    method = "bad"
    [users.otto.bad]
    anything = [1, 2]
"""
TWO = "[pillarbox.transports]\nbad = {}:T\n"


@pytest.mark.parametrize(
    ("distributions", "said"),
    [
        ({"badmail": ("raise RuntimeError('boom')", TWO)}, "badmail can't be loaded: RuntimeError"),
        ({"badmail": ("raise SystemExit(3)", TWO)}, "badmail can't be loaded: SystemExit"),
        ({"one": (GOOD, TWO), "two": (GOOD, TWO)}, "one and two both offer the method bad"),
        ({}, "The method bad is not installed"),
    ],
    ids=["broken", "exits", "double", "missing"],
)
def test_a_settings_file_with_a_method_that_can_not_be_used_stops_nobody_else(tmp_path, distributions, said):
    """A warning; Anna's mail goes; only Otto is refused, with the reason."""
    points = "[pillarbox.transports]\ngood = goodmail:T\n"
    made = {
        name: {"module": module, "points": point.format(name)}
        for name, (module, point) in distributions.items()
    }
    folder = site(tmp_path, goodmail={"module": GOOD, "points": points}, **made)
    (tmp_path / "p.toml").write_text(textwrap.dedent(FILE))
    code = f"""
        mailer = Mailer.open({str(tmp_path / "p.toml")!r})
        print(*mailer.directory.warnings)
        print(mailer.explain("anna").account.owner)
        try:
            mailer.explain("otto")
        except Unavailable as error:
            print(error)
        mailer.directory.save(User(id="new"), version="", by=Actor("x", Role.DEPLOYER))
        print(mailer.directory.look_up("otto")[1].methods)
    """
    done = run(folder, code)
    warned, whose, refused, kept = done.stdout.splitlines()
    assert warned.startswith("users.otto.bad is not checked: ")
    assert said in warned
    assert (whose, kept) == ("company", "{'bad': {'anything': [1, 2]}}")
    assert said in refused
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("env", "allowed"), [({"PILLARBOX_PLUGINS": "other"}, None), ({}, ("other",))])
def test_what_is_not_allowed_is_not_imported(tmp_path, env, allowed):
    """An allow-list by distribution, in the settings and in a variable."""
    module = "print('IMPORTED')\n" + textwrap.dedent(GOOD)
    folder = site(
        tmp_path, goodmail={"module": module, "points": "[pillarbox.transports]\ngood = goodmail:T\n"}
    )
    done = run(
        folder,
        f"print('good' in Plugins(allowed={allowed!r})); Plugins(allowed={allowed!r}).describe()",
        **env,
    )
    assert done.stdout == "False\n"


def test_nothing_is_imported_before_it_is_asked_for(tmp_path):
    """Listing the names costs no plugin's import."""
    module = "print('IMPORTED')\n" + textwrap.dedent(GOOD)
    folder = site(
        tmp_path, goodmail={"module": module, "points": "[pillarbox.transports]\ngood = goodmail:T\n"}
    )
    assert run(folder, "print(sorted(Plugins()))").stdout.count("IMPORTED") == 0
    assert run(folder, "Plugins()['good']").stdout.count("IMPORTED") == 1


HOOKS = """
    from pillarbox import hookimpl
    @hookimpl
    def pillarbox_attempt_finished(attempt):
        print("told", attempt.method, attempt.handed_over)
"""


def test_hooks_are_told_and_a_misspelt_or_raising_one_harms_nobody(tmp_path):
    """Pluggy lets one broken module crash the host, and a misspelt hook be silent: neither here."""
    folder = site(
        tmp_path,
        audit={"module": HOOKS, "points": "[pillarbox]\naudit = audit\n"},
        misspelt={
            "module": HOOKS.replace("finished", "finishd"),
            "points": "[pillarbox]\nmisspelt = misspelt\n",
        },
        crashing={"module": "raise RuntimeError('boom')", "points": "[pillarbox]\ncrashing = crashing\n"},
    )
    code = """
        from pillarbox.testing import Mailbox
        box = Mailbox()
        print(type(box.mailer().send(Message(to="a@b.example", subject="s", text="t"))).__name__)
    """
    done = run(folder, code)
    assert done.stdout == "told memory True\nReceipt\n", done.stdout + done.stderr


def test_a_distribution_that_can_not_be_read_harms_nobody(tmp_path):
    """One malformed entry_points.txt on the machine, of anybody's, spoils importlib's list of all."""
    folder = site(
        tmp_path,
        spoilt={"module": "", "points": "[pillarbox.transports]\nno equals sign\n"},
        goodmail={"module": GOOD, "points": "[pillarbox.transports]\ngood = goodmail:T\n"},
    )
    nameless = folder / "nameless-1.0.dist-info"
    nameless.mkdir()
    (nameless / "entry_points.txt").write_text("[pillarbox.transports]\nbad = goodmail:T\n")
    done = run(folder, TELL)
    assert (done.returncode, done.stderr) == (0, "")
    assert "good | Good mail | goodmail | \n" in done.stdout


@pytest.mark.parametrize("spelling", ["good-mail", "Good_Mail", "GOOD.MAIL", " good-mail "])
def test_a_distribution_may_be_named_in_any_spelling(tmp_path, spelling):
    """As pip takes it; an allow-list must not fail by an underscore."""
    points = "[pillarbox.transports]\ngood = good_mail:T\n"
    folder = site(tmp_path, good_mail={"module": GOOD, "points": points})
    code = f"print('good' in Plugins(), Plugins(chosen={{'good': {spelling.strip()!r}}})['good'].label)"
    assert run(folder, code, PILLARBOX_PLUGINS=f"x,{spelling}").stdout == "True Good mail\n"


def test_two_vaults_are_both_left_out(tmp_path):
    """A secret must not land in whichever happens to come first."""
    point = "[pillarbox.vaults]\nv = {}:open_vault\n"
    module = "def open_vault(path): return path.name"
    folder = site(
        tmp_path,
        one={"module": module, "points": point.format("one")},
        two={"module": module, "points": point.format("two")},
    )
    code = """
        from pathlib import Path
        for allowed in (("one", "two"), ("two",), ()):
            try:
                print(Plugins(allowed=allowed).vault(Path("a/acme.toml")))
            except Unavailable as error:
                print(error)
    """
    told = run(folder, code).stdout.splitlines()
    assert told[0].startswith("one and two both bring a vault; neither is used.")
    assert told[1:] == ["acme.vault.sqlite3", "None"]


LISTENERS = {
    "told": HOOKS,
    "raises": HOOKS.replace('print("told"', 'raise RuntimeError("down"'),
    "awaits": HOOKS.replace("def pillarbox", "async def pillarbox"),
    "argless": HOOKS.replace("(attempt)", "()").replace(", attempt.method, attempt.handed_over", ""),
    "pickier": HOOKS.replace("(attempt)", "(attempt, mood)"),
    "leaves": "raise SystemExit(7)",
    "nothing": "",
}


def test_each_listener_hears_whatever_the_others_do(tmp_path):
    """Raising, misspelt, a coroutine, one name twice: the healthy ones are told, nothing is printed, the receipt stands."""
    folder = site(
        tmp_path,
        **{
            f"a_{name}": {"module": module, "points": f"[pillarbox]\nsame = a_{name}\n"}
            for name, module in LISTENERS.items()
        },
        z_last={"module": HOOKS, "points": "[pillarbox]\nsame = z_last\n"},
    )
    code = """
        from pillarbox.testing import Mailbox
        print(type(Mailbox().mailer().send(Message(to="a@b.example", subject="s", text="t"))).__name__)
    """
    done = run(folder, code)
    assert sorted(done.stdout.splitlines()) == ["Receipt", "told", "told memory True", "told memory True"]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("wrong", [object, 3, Transport, type("Bare", (Transport,), {})], ids=repr)
def test_what_a_host_gives_is_looked_at_when_it_is_given(wrong):
    """A mistake of its own is told at once, not at the first send."""
    with pytest.raises(TypeError):
        Plugins(extra={"own": wrong})


def test_a_missing_method_guesses_among_what_is_installed():
    """A typo is likelier than a plugin that nobody has."""
    with pytest.raises(TransportNotInstalled, match="Did you mean umail"):
        plugins()["umial"]


def test_a_connector_that_is_missing_says_what_to_install():
    """For our own names."""
    with pytest.raises(Unavailable, match="pip install pillarbox-mapi"):
        Plugins().connector("mapi")


def test_the_settings_class_is_found_behind_annotations_for_type_checkers_only():
    """Only the one name is evaluated."""

    class Annotated(ByUser):
        other: NotImported  # noqa: F821
        settings: Settings

    assert Annotated.settings_class() is Settings


def test_a_transport_without_settings_is_refused_with_the_cure():
    """An author sees what is missing."""

    class Bare(Transport):
        def send(self, submission, journal):
            raise AssertionError

    with pytest.raises(TypeError, match="needs an annotation settings"):
        Bare.settings_class()
