"""`pillarbox methods`: what is installed, and what could be."""

from __future__ import annotations

from tests import systems

from .conftest import write
from .test_app import install


def test_methods_lists_what_is_and_what_could_be(command):
    """Without a settings file; with the distribution, its version, what it is made for, and why one can't be used here."""
    done = command("methods")
    assert (done.code, done.err) == (0, "")
    lines = {line.split()[0]: line for line in done.out.replace(" | ", "   ").splitlines()}
    assert lines["smtp"].split()[1:3] == ["SMTP", "pillarbox-smtp"]
    assert lines["smtp"].endswith("   ready")
    assert "<0.2,>=0.1" in lines["smtp"]
    assert systems.WINDOWS or "needs Windows" in lines["mapi"]


def test_what_the_deployer_leaves_out_is_not_called_missing(terminal):
    """To install it again would help nobody; and 80 columns are enough to say so."""
    screen = terminal("methods", NO_COLOR="1", PILLARBOX_PLUGINS="pillarbox-smtp")
    assert screen.end() == 0
    assert "Left out" in screen.shown
    assert "pip install" not in screen.shown
    assert max(map(len, screen.visible)) <= 80


def test_methods_tells_programs(invoke):
    """With the same words."""
    found = {one["name"]: one for one in invoke("methods", "--json").json}
    assert (found["smtp"]["label"], found["smtp"]["problem"]) == ("SMTP", "")
    assert systems.WINDOWS or "needs Windows" in found["mapi"]["problem"]


def test_the_deployers_choice_of_plugins_is_kept(invoke, tmp_path):
    """No other distribution is imported; nor any while the file can't be used, for who knows what it allows."""
    write(tmp_path, '[deployment]\nplugins = ["another"]\n')
    assert invoke("methods").out.count("ready") == 0
    assert invoke("vault", "list").code == 69
    write(tmp_path, "[compny]\n")
    assert invoke("methods").code == 78
    assert invoke("vault", "list").code == 78


def test_a_broken_method_is_listed_with_its_cure(command, tmp_path):
    """And harms no other."""
    (tmp_path / "strange.py").write_text("raise SystemExit(3)\n")
    install(tmp_path, "[pillarbox.transports]\nstrange = strange:T\n")
    done = command("methods", PYTHONPATH=str(tmp_path))
    assert done.code == 0
    assert "Reinstall or remove strange." in done.out
    assert "ready" in done.out


def test_a_third_partys_method_gets_options_for_nothing(command, tmp_path):
    """Drawn from its settings class."""
    (tmp_path / "strange.py").write_text(
        "import attrs\nfrom pillarbox import Transport\nfrom pillarbox.settings import setting\n"
        "@attrs.frozen\nclass S:\n    flavour: str = setting('plain', help='How it tastes.')\n"
        "class T(Transport):\n    settings: S\n    label = 'Strange'\n    def send(self, s, j): ...\n"
    )
    install(tmp_path, "[pillarbox.transports]\nstrange = strange:T\n")
    init = ["init", "--address", "a@b.example", "--method", "strange"]
    assert "How it tastes." in command(*init, "--help", PYTHONPATH=str(tmp_path)).out
    done = command(*init, "--flavour", "sour", PYTHONPATH=str(tmp_path))
    assert done.code == 0, done.err
    assert 'flavour = "sour"' in (tmp_path / "pillarbox.toml").read_text()


OTHER = """
import attrs
from pillarbox import Transport
@attrs.frozen
class S:
    pass
class T(Transport):
    settings: S
    label = "Strange"
    def send(self, s, j): ...
print("IMPORTED")
"""


def test_a_method_for_another_pillarbox_is_told_and_not_imported(command, tmp_path):
    """Its author promised it for other versions; who upgraded one of the two upgrades both."""
    (tmp_path / "strange.py").write_text(OTHER)
    install(tmp_path, "[pillarbox.transports]\nstrange = strange:T\n")
    metadata = tmp_path / "strange-1.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text() + "Requires-Dist: pillarbox<0.1,>=0.0.5\n")
    done = command("methods", PYTHONPATH=str(tmp_path))
    assert done.code == 0
    assert "strange is made for pillarbox <0.1,>=0.0.5; this is " in done.out
    assert "pip install -U strange pillarbox" in done.out
    assert "IMPORTED" not in done.out


def test_the_imports_of_plugins_are_timed(command):
    """Those that the call needed, and no others."""
    done = command("--trace-plugins", "methods")
    rows = [line for line in done.err.splitlines() if " ms " in line]
    assert any("pillarbox.transports smtp (pillarbox-smtp)" in row for row in rows)
    assert command("--trace-plugins", "methods", "--help").err == "No plugin was imported.\n"
