"""The root command: its commands are imported when they are called, so that help costs next to nothing."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from .._errors import PillarboxError, Unavailable
from ._output import show_error

USAGE = 64
INTERRUPTED = 130
_COMMANDS = {
    "demo": "See it work: a mail server on this computer, a company, three users.",
    "init": "Write a settings file.",
    "methods": "List the methods that are installed, and those that could be.",
    "company": "Show or change the company's e-mail setting.",
    "user": "List, add, show, change, rename or remove users.",
    "explain": "Say whose account would be used, which address would show, and why.",
    "check": "Look, stage by stage, whether an account works. Sends nothing.",
    "send": "Send a message.",
}
_ELSEWHERE = {"vault": "pillarbox-vault", "web": "pillarbox-web"}


class Root(click.Group):
    """Finds our commands by name, then those that plugins bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return our commands, in the order in which a newcomer meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command *cmd_name*; see `click.Group.get_command`."""
        if cmd_name in _COMMANDS:
            module = importlib.import_module(f"pillarbox.cli.{cmd_name}")
            found: click.Command = module.command
            return found
        return _from_plugin(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say what was meant, or which distribution brings it."""
        name = args[0]
        if self.get_command(ctx, name) is None:
            if name in _ELSEWHERE:
                raise Unavailable(
                    f"The command {name} is not installed.",
                    cure=f"Install it with: pip install {_ELSEWHERE[name]}",
                )
            near = difflib.get_close_matches(name, _COMMANDS, 1)
            raise click.UsageError(
                f"There is no command {name}.{f' Did you mean {near[0]}?' if near else ''}", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their first lines, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))
        formatter.write_paragraph()
        formatter.write_text("Installed plugins may bring more, such as `pillarbox vault`.")


def _from_plugin(name: str) -> click.Command | None:
    from .._plugins import Plugins

    found: click.Command | None = Plugins().command(name)
    return found


class State:
    """What every command shares: the settings file, and how to print.

    Attributes:
        config: The path of the settings file.
        json: Whether to print JSON.
    """

    def __init__(self, config: str, *, json: bool) -> None:
        self.config = config
        self.json = json
        self._mailer: Any = None

    @property
    def mailer(self) -> Any:
        """The mailer for the settings file, opened on first use."""
        if self._mailer is None:
            from .._mailer import Mailer

            self._mailer = Mailer.open(self.config)
        return self._mailer


@click.command(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 64 a mistake in the call, 65 the message or its refusal, 69 something is not installed,"
    " 70 outcome unknown, 75 try later, 77 sign-in needed, 78 settings.",
)
@click.option(
    "--config",
    metavar="PATH",
    envvar="PILLARBOX_CONFIG",
    default="pillarbox.toml",
    show_default=True,
    show_envvar=True,
    help="The settings file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.version_option(package_name="pillarbox", message="pillarbox %(version)s")
@click.pass_context
def root(ctx: click.Context, config: str, as_json: bool) -> None:
    """Send a company's and its users' mail from the right account.

    New here? `pillarbox demo` shows it working; `pillarbox init` writes a settings file.
    """
    ctx.obj = State(config, json=as_json)


def run(arguments: Sequence[str]) -> int:
    """Run the command with *arguments* and return its exit code."""
    as_json = "--json" in arguments
    try:
        code = root.main(list(arguments), prog_name="pillarbox", standalone_mode=False)
        sys.stdout.flush()
    except PillarboxError as error:
        show_error(error, as_json=as_json)
        return error.exit_code
    except click.ClickException as error:
        return _usage(error, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # nobody reads: let the exit not fail on it
        return 0
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException, *, as_json: bool) -> int:
    if as_json:
        show_error(PillarboxError(error.format_message()), as_json=True, kind="UsageError", code=USAGE)
    else:
        error.show()
    return USAGE
