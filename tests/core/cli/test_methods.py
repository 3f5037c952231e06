"""`pillarbox methods`: what is installed, and what could be."""

from __future__ import annotations

from .conftest import write
from .test_app import install


def test_methods_lists_what_is_and_what_could_be(command):
    """Without a settings file; with the distribution, its version, and the pip line of what is missing."""
    done = command("methods")
    assert (done.code, done.err) == (0, "")
    lines = {line.split()[0]: line for line in done.out.replace(" | ", "   ").splitlines()}
    assert lines["smtp"].split()[1:3] == ["SMTP", "pillarbox-smtp"]
    assert lines["smtp"].endswith("   ready")
    assert lines["mapi"].endswith("   pip install pillarbox-mapi")


def test_a_terminal_keeps_the_pip_line_whole(terminal):
    """80 columns."""
    screen = terminal("methods", NO_COLOR="1", PILLARBOX_PLUGINS="pillarbox-smtp")
    assert screen.end() == 0
    assert "pip install pillarbox-mapi" in screen.shown
    assert max(map(len, screen.visible)) <= 80


def test_methods_tells_programs(invoke):
    """With the same words."""
    found = {one["name"]: one for one in invoke("methods", "--json").json}
    assert (found["smtp"]["label"], found["smtp"]["problem"]) == ("SMTP", "")
    assert "pip install pillarbox-mapi" in found["mapi"]["problem"]


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
