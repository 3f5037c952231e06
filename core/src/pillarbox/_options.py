"""What a message asks of one transport alone (`Message.options`): held against its class before anything is kept or sent."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ._errors import InvalidSettings, MessageError
from ._plugins import OURS

if TYPE_CHECKING:
    from ._message import Message
    from ._plugins import Plugins


def require_options(message: Message, method: str, plugins: Plugins) -> None:
    """Do nothing where *message* asks for what there is.

    What it asks of another method than the one that carries it is let be: a host says what each would do. A name that is
    no method's is a slip of the pen, and would be lost without a word.

    Raises:
        MessageError: There is no such method, it takes no options, or not these.
    """
    for name in message.options:
        if name == method:
            _require(message, method, plugins)
        elif name not in plugins and name not in OURS:
            near = difflib.get_close_matches(name, [*OURS, method], 1)
            raise MessageError(
                f"The message has options for {name!r:.60}, and there is no such method.",
                cure=f"Did you mean {near[0]}?" if near else "",
            )


def _require(message: Message, method: str, plugins: Plugins) -> None:
    transport = plugins[method]
    label = transport.label or method
    if transport.options is None:
        raise MessageError(f"{label} takes no options.", cure=f"Leave options[{method!r}] out.")
    from ._schema import structure

    try:
        structure(transport.options, message.options[method], f"options.{method}")
    except InvalidSettings as error:
        said = "; ".join(" ".join(problem.split()) for problem in error.problems)
    else:
        return
    raise MessageError(f"The message's options can't be used: {said}.")
