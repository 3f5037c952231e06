"""What a contender is told before it starts, and what it gives back: the terms of every comparison."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import attrs

Run = Callable[[int], object]
"""Does the thing so many times."""


@attrs.frozen
class Job:
    """What a contender is told.

    Attributes:
        case: The name of the message, of `cases.NAMES`.
        port: Where the sink listens on 127.0.0.1; 0 for those that send nothing.
        users: How many users the directory has; 0 for those that ask none.
        personal: Each how manyth of them has settings of their own.
        ca_file: The authority that the server's certificate comes from, where there is TLS.
    """

    case: str = "4 KB"
    port: int = 0
    users: int = 0
    personal: int = 10
    ca_file: str = ""


Maker = Callable[[Job], AbstractContextManager[Run]]
"""A contender: gets ready (connects, imports) and yields what does the thing."""
