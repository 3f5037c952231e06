"""The worker process: it owns the one apartment in which Outlook is asked, and does one operation at a time.

It is started by the host, `python -m pillarbox_mapi.worker`, in the folder of the spool, and ends with its stdin. Its stdout
carries the protocol (`lines`) alone: whatever else is printed goes to stderr.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from .accounts import Wish
from .lines import Nonsense, read, written
from .machine import Machine, facts, this_machine
from .patience import Patience
from .problems import Problem


class Carrier(Protocol):
    """An interface to Outlook: its object model, or Simple MAPI."""

    def attach(self, profile: str) -> dict[str, Any]:
        """Return what is to know of the Outlook that runs."""

    def prepare(
        self, letter: Mapping[str, Any], wish: Wish, profile: str, spool: Path, *, again: bool
    ) -> dict[str, Any]:
        """Make ready what `submit` sends; return `entry_id` (or ""), `account` and `kind`."""

    def submit(self) -> dict[str, Any]:
        """Send what is ready, once."""

    def discard(self) -> dict[str, Any]:
        """Forget what is ready."""

    def find(self, key: str, account: str, profile: str) -> dict[str, Any]:
        """Return `where` the mail of *key* lies."""


Carriers = Mapping[str, Callable[[Patience], Carrier]]


class Desk:
    """Does what the host asks, by the interface that it names.

    Args:
        carriers: Makes a carrier, by the interface's name.
        machine: What of this computer is looked at.
        patience: The deadline of the operation that runs.
    """

    def __init__(self, carriers: Carriers, machine: Machine, patience: Patience | None = None) -> None:
        self._carriers, self._machine = carriers, machine
        self._patience = patience or Patience()
        self._opened: dict[str, Carrier] = {}
        self.folder = ""
        """The folder of the spool that is in use."""

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked and return the line that answers.

        Raises:
            Nonsense: It is no request.
        """
        number = asked.get("id")
        try:
            self._patience.begin(float(asked["seconds"]))
            return {"id": number, "answer": self._done(asked)}
        except Problem as problem:
            return {"id": number, "problem": problem.to_json()}
        except (KeyError, TypeError, ValueError) as error:
            raise Nonsense(f"a request with {type(error).__name__}") from error

    def _done(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["op"] == "look":
            return facts(self._machine)
        carrier = self._carrier(asked["interface"])
        match asked["op"]:
            case "attach":
                return carrier.attach(asked["profile"])
            case "prepare":
                letter = asked["letter"]
                self.folder = str(letter["folder"])
                wish = Wish.from_json(asked["wish"])
                return carrier.prepare(letter, wish, asked["profile"], Path.cwd(), again=asked["again"])
            case "submit":
                return carrier.submit()
            case "discard":
                return carrier.discard()
            case "find":
                return carrier.find(asked["key"], asked["account"], asked["profile"])
        raise ValueError(asked["op"])

    def _carrier(self, interface: str) -> Carrier:
        if interface not in self._opened:
            self._opened[interface] = self._carriers[interface](self._patience)
        return self._opened[interface]


def serve(source: IO[bytes], sink: IO[bytes], desk: Desk) -> int:
    """Answer each line of *source* in *sink* until it ends; return the exit code."""
    try:
        while (asked := read(source)) is not None:
            sink.write(written(desk.answer(asked)))
            sink.flush()
    except Nonsense:
        return 2
    except OSError:
        return 1  # nobody listens any more; a host that lives goes on with the spool
    _tidy(desk.folder)
    return 0


def _tidy(folder: str) -> None:
    """Remove what a host that was killed has left in the spool; one that lives removes it itself."""
    here = Path.cwd()
    if folder and here.name.startswith("pillarbox-mapi-"):
        shutil.rmtree(here / folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.chdir(here.parent)
            here.rmdir()


@contextlib.contextmanager
def protocol() -> Iterator[IO[bytes]]:
    """Give the stream of the protocol, and let what is printed go to stderr in its place."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(2, 1)
        yield sink


def _outlook(patience: Patience) -> Carrier:
    from .com import activate
    from .outlook import Outlook

    return Outlook(activate, patience)


def _simple(_: Patience) -> Carrier:
    from .simple_mapi import SimpleMapi

    return SimpleMapi()


CARRIERS: Carriers = {"com": _outlook, "simple": _simple}


def main() -> int:
    """Serve this computer's Outlook; where COM is missing, say of the computer what can be said."""
    desk = Desk(CARRIERS, this_machine())
    with protocol() as sink, _apartment():
        return serve(sys.stdin.buffer, sink, desk)


def _apartment() -> contextlib.AbstractContextManager[None]:
    try:
        import pythoncom  # type: ignore[import-untyped,import-not-found,unused-ignore]  # noqa: F401
    except ImportError:
        return contextlib.nullcontext()
    from .com import apartment

    return apartment()


if __name__ == "__main__":
    sys.exit(main())
