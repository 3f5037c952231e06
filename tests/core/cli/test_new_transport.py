"""`pillarbox new-transport`: what is written is a distribution, under names that fit together."""

from __future__ import annotations

import ast
import tomllib

import pytest

from pillarbox.cli._templates import Names


def test_a_distribution_is_written(invoke, tmp_path, monkeypatch):
    """Every file of it is what its name says; nothing of the template is left in it."""
    monkeypatch.chdir(tmp_path)
    done = invoke("new-transport", "acme_mail-2", "--label", "Acme & Mail")
    assert done.code == 0, done.err
    folder = tmp_path / "pillarbox-acme-mail-2"
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) == 16
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    points = project["project"]["entry-points"]
    assert points["pillarbox.transports"] == {"acme_mail-2": "pillarbox_acme_mail_2:AcmeMail2Transport"}
    assert points["pillarbox.contracts"] == {
        "acme_mail-2": "pillarbox_acme_mail_2.contract:AcmeMail2Contract"
    }
    for file in files:
        text = file.read_text("utf-8")
        assert "$" not in text.replace("${{", ""), file
        if file.suffix == ".py":
            ast.parse(text)


def test_a_program_gets_the_list(invoke, tmp_path):
    """Of what was written."""
    done = invoke("new-transport", "pigeon", "--folder", str(tmp_path / "p"), "--json")
    assert done.json["distribution"] == "pillarbox-pigeon"
    assert len(done.json["files"]) == 16


def test_nothing_is_written_over(invoke, tmp_path):
    """A folder that holds something is left as it is."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "mine").touch()
    done = invoke("new-transport", "pigeon", "--folder", str(tmp_path / "p"))
    assert done.code == 78
    assert "is there already" in done.err
    assert [one.name for one in (tmp_path / "p").iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["smtp", "mapi", "none", "Acme", "2fast", "a/b", "../x", ""])
def test_a_name_that_can_not_be_is_refused(invoke, tmp_path, monkeypatch, name):
    """Ours, or what no settings file could name."""
    monkeypatch.chdir(tmp_path)
    assert invoke("new-transport", name).code == 78
    assert list(tmp_path.glob("pillarbox-*")) == []


def test_the_release_is_the_compatibility_policys():
    """Below 1.0 a minor release may change the contract."""
    assert Names.of("pigeon").values["release"] == "0.1,<0.2"
