"""What a message may ask of Resend alone: `Message(options={"resend": {"tags": {"kind": "invoice"}}})`."""

import re
from collections.abc import Mapping

import attrs

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")


def _are_tags(_: object, __: object, value: Mapping[str, str]) -> None:
    for pair in value.items():
        for text in pair:
            if not _NAME.fullmatch(text):
                raise ValueError(f"tags: {text!r:.40} must be of letters, digits, _ and -, at most 256")


@attrs.frozen(kw_only=True)
class ResendOptions:
    """Extras of one message.

    Attributes:
        tags: Names and values that Resend shows and reports by; ASCII letters, digits, `_` and `-`.
    """

    tags: Mapping[str, str] = attrs.field(factory=dict, validator=_are_tags)
