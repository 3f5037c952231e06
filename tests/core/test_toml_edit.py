"""Changes in the text: comments survive, and the file says afterwards what was meant, or it is as it was."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import (
    Choice,
    Role,
    SettingsError,
    User,
)
from tests.core.doubles import DEPLOYER, GOOD, opened


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
