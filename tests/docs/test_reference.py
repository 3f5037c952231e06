"""The reference is whole: whatever is public stands in it, and nothing else does."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import pillarbox
from docs import code_pages, facts, generate, outcome_pages, settings_pages
from pillarbox import Mailer, _errors, _log, _plugins
from pillarbox.cli._app import _EXIT_CODES

REFERENCE = generate.REFERENCE
ERRORS = [error for _, error in facts.errors()]
PUBLIC = [(door, name) for door in facts.DOORS for name in facts.names_of(door)]


def page(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def test_every_page_is_written_by_the_script_or_opens_the_part() -> None:
    """A page that the script no longer writes is not left behind."""
    found = {path.relative_to(REFERENCE).as_posix() for path in REFERENCE.rglob("*.md")}
    assert found == {*generate.PAGES, "index.md"}


def test_a_page_that_nothing_writes_any_more_is_taken_away(tmp_path: Path, monkeypatch) -> None:
    """What the script wrote once goes with the code it was about; what a person wrote stays."""
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)
    (tmp_path / "old.md").write_text(f"{generate.HEAD}# Old\n", "utf-8")
    (tmp_path / "index.md").write_text("# Reference\n", "utf-8")
    assert generate.left_over() == ["old.md"]
    generate.write("old.md")
    assert [path.name for path in tmp_path.iterdir()] == ["index.md"]


@pytest.mark.parametrize(("door", "name"), PUBLIC)
def test_a_public_name_is_listed_described_and_says_what_it_is(door: str, name: str) -> None:
    """It stands in the table, on the page of the door that brings it, and has a docstring."""
    home = facts.home_of(door, name)
    assert f"| `{name}` |" in page("names.md")
    assert re.search(rf"^\.\. \S+:: {re.escape(home)}\.{name}$", page(f"python/{home}.md"), re.MULTILINE)
    assert facts.told(door, name)


def methods_without_a_word() -> list[str]:
    values = (getattr(facts.door(door), name) for door, name in PUBLIC)
    return [
        f"{cls.__name__}.{name}"
        for cls in filter(inspect.isclass, values)
        for name, member in vars(cls).items()
        if not name.startswith("_") and is_call(member) and not inspect.getdoc(member)
    ]


def is_call(member: object) -> bool:
    return inspect.isfunction(member) or isinstance(member, (classmethod, staticmethod))


def test_every_public_method_says_what_it_gives() -> None:
    """The full description has no empty entry."""
    assert methods_without_a_word() == []


def test_every_door_is_open() -> None:
    """What a plugin of ours imports of pillarbox, it imports at a door that is described."""
    plugins = "\n".join(path.read_text("utf-8") for path in facts.SOURCES if "plugins" in path.parts)
    used = set(re.findall(r"^\s*from (pillarbox(?:\.\w+)*) import", plugins, re.MULTILINE))
    assert used <= set(facts.DOORS)


def test_every_event_that_is_logged_is_described_and_no_other() -> None:
    """The table of events is the calls of the log."""
    described = set(_log.EVENTS)
    fixed = {one.name for one in facts.logged_events() if "*" not in one.name}
    outcomes = {f"pillarbox.{state}" for state in ("accepted", "rejected", "deferred", "unknown")}
    assert described == fixed | outcomes


def test_every_outcome_of_an_attempt_has_an_event() -> None:
    """The names that are made at run time are those of the states that an outcome leads to."""
    from pillarbox.outbox import settled

    outcomes = [pillarbox.Receipt("<1@a.example>"), *(error() for error in ERRORS)]
    assert {f"pillarbox.{settled(outcome).value}" for outcome in outcomes} <= set(_log.EVENTS)


def test_every_variable_in_the_code_is_described() -> None:
    """A variable that the code names stands in the reference."""
    named = facts.texts_in_code(r"PILLARBOX_[A-Z_]*[A-Z]|NO_COLOR")
    assert named <= set(settings_pages.VARIABLES)
    assert {"PILLARBOX_CONFIG", "PILLARBOX_PLUGINS", "PILLARBOX_VAULT_KEY", "NO_COLOR"} <= named


URL = "smtp+starttls://smtp.acme.example?username=orders@acme.example&password_env=PW"
COMPANY = {
    "PILLARBOX_URL": (URL, lambda company: company.methods["smtp"]["server"] == "smtp.acme.example"),
    "PILLARBOX_ADDRESS": ("o@acme.example", lambda company: company.address == "o@acme.example"),
    "PILLARBOX_NAME": ("Acme Ltd", lambda company: company.name == "Acme Ltd"),
    "PILLARBOX_REPLY_TO": ("r@acme.example", lambda company: company.reply_to == "r@acme.example"),
    "PILLARBOX_METHOD": ("smtp", lambda company: company.method == "smtp"),
}


@pytest.mark.parametrize("name", COMPANY)
def test_a_variable_of_from_environ_has_its_effect(name: str) -> None:
    """What the reference says is read, is read."""
    value, is_seen = COMPANY[name]
    company, _ = Mailer.from_environ({name: value}).directory.look_up(None)
    assert is_seen(company)
    assert name in settings_pages.VARIABLES


def test_a_field_of_the_method_is_read_from_its_variable() -> None:
    """`PILLARBOX_<METHOD>_<FIELD>` stands for as many variables as the method has fields."""
    environ = {"PILLARBOX_METHOD": "smtp", "PILLARBOX_SMTP_PORT": "2525"}
    company, _ = Mailer.from_environ(environ).directory.look_up(None)
    assert company.methods["smtp"] == {"port": 2525}
    known = {*COMPANY, "PILLARBOX_<METHOD>_<FIELD>"}
    assert {
        one for one in settings_pages.VARIABLES if "from_environ" in settings_pages.VARIABLES[one]
    } == known


def test_every_entry_point_group_is_described_and_no_other() -> None:
    """The groups are those that the code looks into."""
    named = facts.texts_in_code(r"pillarbox\.[a-z]+s", within=Path(_plugins.__file__))
    assert named | {"pillarbox"} == set(code_pages.GROUPS)


def test_every_command_shows_each_of_its_options() -> None:
    """A command has a section, and in it every option and argument."""
    for path, command, context in facts.commands():
        shown = page("command.md").partition(f"## `{path}`\n")[2].partition("\n## ")[0]
        assert shown, path
        for param in command.get_params(context):
            names = param.opts if param.param_type_name == "option" else [param.human_readable_name]
            assert all(name in shown for name in names), (path, param.name)


def test_every_setting_of_a_method_has_an_option() -> None:
    """What the settings file takes, the command line takes."""
    from pillarbox.settings import form

    for method, transport in facts.transports().items():
        shown = code_pages.method_options(method)
        for field in form(transport.settings_class()):
            assert f"--{re.sub('[_.]', '-', field.name)}" in shown, field.name


def test_every_setting_says_what_it_is() -> None:
    """No line of the page of settings is empty where it should explain."""
    rows = [line.split(" | ") for line in page("settings.md").splitlines() if line.startswith("| `")]
    assert rows  # an empty page would pass
    assert [row[0] for row in rows if not row[1].strip(" |")] == []


def test_every_setting_that_is_declared_is_on_the_page() -> None:
    """Whatever the sources declare with `setting()` stands in a table, be it a method's, the deployer's or the outbox's."""
    declared = {
        one.target.id
        for path, tree in facts.trees().items()
        for one in ast.walk(tree)
        if "testing" not in path.parts and is_setting(one)
    }
    shown = set(re.findall(r"^\| `(\w+)` \||^## `\[[^]]*\.(\w+)\]`", page("settings.md"), re.MULTILINE))
    shown = {name for names in shown for name in names if name}
    assert {"server", "private_networks"} <= declared
    assert declared - shown == set()


def is_setting(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "setting"
    )


def test_every_class_of_errors_is_public() -> None:
    """Whatever pillarbox raises on purpose can be caught by a name that is described; the command's own never leave it."""
    defined = {
        node.name
        for path, tree in facts.trees().items()
        for node in ast.walk(tree)
        if "cli" not in path.parts
        and isinstance(node, ast.ClassDef)
        and {ast.unparse(base) for base in node.bases} & KINDS
    }
    assert defined | {"PillarboxError"} == KINDS


KINDS = {error.__name__ for error in ERRORS}


def test_every_error_ends_with_a_code_that_is_described() -> None:
    """No error of ours leaves the command with a number that the table does not hold."""
    assert {error.exit_code for error in ERRORS} <= set(_EXIT_CODES)


def test_every_error_stands_in_the_drawn_tree() -> None:
    """The tree in the docstring is drawn by hand, so it is compared with the classes."""
    tree = inspect.getdoc(_errors) or ""
    drawn = set(re.findall(r"^ *[|+ ]? ?[+-] (\w+)", tree, re.MULTILINE)) | {"PillarboxError"}
    assert drawn == KINDS


def test_every_method_that_finds_something_lists_what_it_may_find() -> None:
    """A plugin that gives findings has a module `findings`, and its codes stand in the reference."""
    finding = [path for path, tree in facts.trees().items() if "Finding" in called_in(tree)]
    plugins = {path.parent.name for path in finding if "plugins" in path.parts}
    listed = {transport.__module__.partition(".")[0] for transport in facts.transports().values()}
    assert plugins <= listed
    assert len(facts.findings()) == 5 + len(plugins)
    rows = [
        f'| <a id="{outcome_pages.anchor(title, code)}"></a>`{code}` | {meaning} |'
        for title, codes in facts.findings().items()
        for code, meaning in codes.items()
    ]
    assert [row for row in rows if row not in page("findings.md")] == []


def called_in(tree: ast.Module) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_every_code_of_a_finding_of_core_is_listed() -> None:
    """A code that core writes stands in its list; the methods' tests hold theirs, which are put together."""
    from pillarbox import _check

    tree = facts.trees()[Path(_check.__file__)]
    calls = (
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and "Finding" in ast.unparse(node.func)
    )
    codes = {one.args[2].value for one in calls if isinstance(one.args[2], ast.Constant)}
    assert codes
    assert codes <= set(_check.FINDINGS)


def test_every_code_of_a_sign_in_is_listed() -> None:
    """Those that stand in the code of core as words are the list's, each with the stage that its name begins with."""
    from pillarbox import _connecting
    from pillarbox._connect import registered, standing

    words = {
        node.value
        for module in (_connecting, registered, standing)
        for node in ast.walk(facts.trees()[Path(module.__file__)])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    coded = {word for word in words if re.fullmatch(r"(registration|sign-in|grant)-[a-z-]+", word)}
    assert coded <= set(standing.FINDINGS)
    assert "sign-in-missing" in coded


def test_every_state_has_a_meaning() -> None:
    """The table of states is whole."""
    assert set(outcome_pages.MEANINGS) == set(pillarbox.State)


def test_every_rule_that_the_code_names_is_explained() -> None:
    """The numbers in docstrings are those of the page of rules."""
    rules = (REFERENCE.parent / "explanation/rules.md").read_text("utf-8")
    explained = set(re.findall(r"^(\d+)\. ", rules, re.MULTILINE))
    texts = [path.read_text("utf-8") for path in [*facts.SOURCES, *Path(facts.ROOT / "tests").rglob("*.py")]]
    lists = (found for text in texts for found in re.findall(r"\brules? (\d+(?:(?:,? and |, )\d+)*)", text))
    assert {number for one in lists for number in re.findall(r"\d+", one)} <= explained
