"""The root command: its commands are imported when they are called, so that help costs next to nothing."""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .._errors import PillarboxError, Unavailable
from ._errors import INTERRUPTED, broken_storage, missing_part, tell, tell_usage
from ._output import NotPrinted

BROKEN_PIPE = 1
"""As click has it."""
_COMMANDS = {
    "demo": "See it work: a mail server on this computer, a company, three users.",
    "init": "Write a settings file.",
    "suggest": "Say which method fits an address, and how it is set.",
    "methods": "List the methods that are installed, and those that could be.",
    "company": "Show or change the company's e-mail setting.",
    "user": "List, add, show, change, rename or remove users.",
    "explain": "Say whose account would be used, which address would show, and why.",
    "check": "Look, stage by stage, whether an account works. Sends nothing.",
    "advise": "Say what would break if the company, or a user, changed its method.",
    "send": "Send a message.",
    "outbox": "List what was sent and what waits; retry, cancel, settle, pause.",
    "worker": "Send what waits in the outbox.",
    "status": "Say how each account stands: what waits, and why.",
    "certify": "Hold a transport to the contract that every transport keeps.",
    "new-transport": "Write a distribution with a transport of your own.",
}
_EXIT_CODES = {
    0: "done",
    64: "a mistake in the call",
    65: "the message can't be sent as it is, or was refused for good",
    66: "a file to send can't be read",
    69: "something is not installed",
    70: "handed over, and the outcome is unknown",
    74: "what is kept can't be read or written, or what was done can't be printed",
    75: "nothing left; try later",
    77: "the sign-in was refused",
    78: "the settings have to be mended",
    130: "interrupted",
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
            found: click.Command = importlib.import_module(
                f"pillarbox.cli.{cmd_name.replace('-', '_')}"
            ).command
            return found
        brought: click.Command | None = state_of(ctx).plugins.command(cmd_name)
        return brought

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
            near = difflib.get_close_matches(name, [*_COMMANDS, *_ELSEWHERE], 1)
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
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in _EXIT_CODES.items()])


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
        """The mailer for the settings file, opened on first use.

        Raises:
            SettingsError: The file can't be used.
        """
        if self._mailer is None:
            from .._mailer import Mailer

            self._mailer = Mailer.open(self.config)
        return self._mailer

    @property
    def plugins(self) -> Any:
        """What is installed, and allowed by the settings file; where there is none yet, all of it.

        Raises:
            SettingsError: There is a file that can't be used.
        """
        from .._plugins import Plugins

        return self.mailer.plugins if self._has_settings else Plugins()

    @property
    def vault(self) -> Any:
        """The vault beside the settings file, which need not be there yet; None where none is installed."""
        return self.mailer.vault if self._has_settings else self.plugins.vault(Path(self.config))

    @property
    def _has_settings(self) -> bool:
        return self._mailer is not None or os.path.lexists(self.config)

    def close(self) -> None:
        """Take leave of the servers that were spoken to."""
        if self._mailer is not None:
            self._mailer.close()


@click.command(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
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
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help='Print one JSON document, for programs: the result, or {"error": ...}. Every command takes it too.',
)
@click.option(
    "--trace-plugins",
    is_flag=True,
    help="Print, on standard error, which plugins were imported, and how long each took.",
)
@click.version_option(package_name="pillarbox", message="pillarbox %(version)s")
@click.pass_context
def root(ctx: click.Context, /, **_: Any) -> None:
    """Send a company's and its users' mail from the right account.

    New here? `pillarbox demo` shows it working; `pillarbox init` writes a settings file.
    """
    ctx.call_on_close(state_of(ctx).close)
    if ctx.params["trace_plugins"]:
        ctx.call_on_close(_tell_loads)


def _tell_loads() -> None:
    """Print each import of a plugin that this call needed."""
    from .._entry_points import LOADS
    from ._output import columns, say_aside

    rows = [
        (
            f"{1000 * one.seconds:8.1f} ms",
            f"{one.group} {one.name} ({one.distribution}) {one.problem}".rstrip(),
        )
        for one in LOADS
    ]
    for line in columns(rows) or ["No plugin was imported."]:
        say_aside(line)


def state_of(ctx: click.Context) -> State:
    """Return the state of the root command's context, made when it is first asked for."""
    if ctx.obj is None:
        ctx.obj = State(ctx.params["config"], json=ctx.params["as_json"])
    state: State = ctx.obj
    return state


def run(arguments: Sequence[str]) -> int:
    """Run the command with *arguments* and return its exit code; what goes wrong is told."""
    arguments = list(arguments) or ["--help"]
    as_json = "--json" in arguments
    try:
        code = root.main(arguments, prog_name="pillarbox", standalone_mode=False)
        sys.stdout.flush()
    except NotPrinted as error:
        _give_up_printing()
        return tell(error, as_json=False)
    except PillarboxError as error:
        return tell(error, as_json=as_json)
    except click.ClickException as error:
        return tell_usage(error, as_json=as_json)
    except (click.Abort, KeyboardInterrupt) as error:
        said = str(error) or "Interrupted."
        return tell(PillarboxError(said), as_json=as_json, kind="Interrupted", code=INTERRUPTED)
    except OSError as error:
        if not _nobody_reads(error):
            raise
        _give_up_printing()
        return BROKEN_PIPE
    except Exception as error:
        known = missing_part(error) if isinstance(error, ModuleNotFoundError) else broken_storage(error)
        if known is None:
            raise
        return tell(known, as_json=as_json)
    return code if isinstance(code, int) else 0


def _nobody_reads(error: OSError) -> bool:
    """Tell whether *error* says that the pipe is closed that is printed to; Windows has no word of its own for it."""
    is_windows_word = os.name == "nt" and error.errno == errno.EINVAL and error.filename is None
    return isinstance(error, BrokenPipeError) or is_windows_word


def _give_up_printing() -> None:
    """Nobody reads any more (`| head`): let the interpreter's last flush not fail on it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
