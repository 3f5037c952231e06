"""The options that a method's settings class brings."""

from __future__ import annotations

import attrs
import click
import pytest

from pillarbox import InvalidSettings, Plugins, Secret, Transport
from pillarbox.cli._app import State
from pillarbox.cli._fields import RecordCommand, assigned, described, given_fields, to_unset, value_of
from pillarbox.cli._record import record_options
from pillarbox.settings import form, setting


@attrs.frozen
class Flavours:
    flavour: str = setting("plain", help="How it tastes.")
    strength: float = setting(1.0)
    spoons: int = setting(2)
    hot: bool = setting(True)
    extras: tuple[str, ...] = setting((), advanced=True)
    key: Secret | None = setting(None, label="Key")
    name: str = setting("", help="Taken by the record's own option.")
    inner: attrs.Attribute | None = setting(None)


class Kitchen(Transport):
    settings: Flavours
    label = "Kitchen"

    def send(self, submission, journal): ...


@click.command("cook", cls=RecordCommand)
@click.option("--json", is_flag=True)
@record_options
@click.pass_context
def cook(ctx, **given):
    return {option.field.name: (option.reference, value) for option, value in given_fields(ctx)}


class Here(State):
    plugins = Plugins(extra={"kitchen": Kitchen})


def run(*arguments: str):
    return cook.main(
        ["--method", "kitchen", *arguments], standalone_mode=False, obj=Here("x.toml", json=False)
    )


def test_each_kind_of_field_is_an_option():
    """Text, number, whole number, yes or no, several values, a secret's place."""
    given = run("--flavour", "sour", "--strength", "1.5", "--spoons", "3", "--no-hot", "--extras", "a", "--extras", "b", "--key-env", "K")  # fmt: skip
    assert given == {
        "flavour": ("", "sour"), "strength": ("", 1.5), "spoons": ("", 3), "hot": ("", False), "extras": ("", ("a", "b")),
        "key": ("env", "K"),
    }  # fmt: skip


def test_what_is_not_named_is_not_given():
    """Defaults are the settings class's own business."""
    assert run() == {}


def test_a_secret_is_a_flag_and_takes_no_value():
    """What stands behind it is not a password."""
    assert run("--key") == {"key": ("vault", True)}
    for arguments in (["--key", "hunter2"], ["--key=hunter2"]):
        with pytest.raises(click.UsageError, match="--key takes no value: the key is asked for, hidden"):
            run(*arguments)


def test_a_secret_is_in_one_place():
    """Which of two was meant can't be known."""
    with pytest.raises(click.UsageError, match="Say once where the key is"):
        run("--key", "--key-env", "K")


def test_the_commands_own_options_win():
    """A field of the same name is reached by --set."""
    assert run("--name", "Acme") == {}


def test_help_has_a_section_for_the_method(capsys):
    """Its usual fields, then those that are seldom needed; tables have no option."""
    run("--help")
    text = capsys.readouterr().out
    before, _, seldom = text.partition("Kitchen options, seldom needed:")
    own, _, usual = before.partition("Kitchen options:")
    assert "--address" in own
    assert "How it tastes. [default: plain]" in " ".join(usual.split())
    assert "--extras" in seldom
    assert "--inner" not in text
    assert "Taken by the record's own option." not in text


def test_a_required_field_has_no_default_in_the_help():
    """There is none to show."""

    @attrs.frozen
    class Strict:
        server: str = setting(help="The server.")

    (field,) = form(Strict)
    from pillarbox.cli._fields import default_of

    assert default_of(field) is None


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "12345", "12345"),
        ("text", "true", "true"),
        ("choice", "tls", "tls"),
        ("integer", "587", 587),
        ("integer", "many", "many"),
        ("number", "2.5", 2.5),
        ("number", "x", "x"),
        ("boolean", "true", True),
        ("list", "a, b,", ["a", "b"]),
        ("list", "", []),
        ("secret", "hunter2", "hunter2"),
        ("", "5", 5),
    ],
)
def test_typed_text_becomes_what_the_field_holds(kind, text, value):
    """What can't be read stays text, for the settings class to refuse in its own words."""
    assert value_of(kind, text) == value


def test_an_assignment_names_a_field_as_options_do():
    """Dashes or underscores; the first = divides."""
    fields = form(Flavours)
    assert assigned("flavour=a=b", fields) == ("flavour", "a=b")
    assert assigned("from-policy=user", fields) == ("from_policy", "user")


@pytest.mark.parametrize("text", ["flavour", "=x", ""])
def test_what_is_no_assignment_is_refused(text):
    """With the form."""
    with pytest.raises(click.UsageError, match="FIELD=VALUE"):
        assigned(text, ())


def test_unsetting_what_is_not_there_guesses():
    """A typing error must not pass for done."""
    assert to_unset("ca-file", ["ca_file"], "company.smtp") == "ca_file"
    with pytest.raises(InvalidSettings, match="did you mean ca_file"):
        to_unset("ca-fiel", ["ca_file"], "company.smtp")


def test_a_method_is_called_what_people_call_it():
    """Its label, else its name."""
    assert described(Here.plugins, "kitchen").label == "Kitchen"
