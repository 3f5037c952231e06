"""What all pages of one application share: the mailer, the templates, the limits, the secret of its tokens."""

from __future__ import annotations

import hashlib
import hmac
import re

import attrs
import jinja2
from markupsafe import Markup, escape

from pillarbox import Mailer

from .limiting import Limits
from .people import Identify
from .stash import Stash

_COMMAND = re.compile(r"pillarbox [a-z][^.;,()\n]*?(?=[.;,()\n]|$| or )")


@attrs.frozen
class Site:
    """One application.

    Attributes:
        mailer: Whose settings the pages are.
        identify: Who is asking.
        secret: Signs the tokens of forms.
        redirect_uri: Where providers send people back to; "" for this application's own `/connected`.
        agent_url: Where workers at users' computers find the door; "" for `/agent` beside these pages.
        is_local: Whether it serves this computer alone, and so is not the place for a password of somebody else.
    """

    mailer: Mailer
    identify: Identify
    secret: bytes = attrs.field(repr=False)
    redirect_uri: str = ""
    agent_url: str = ""
    is_local: bool = False
    limits: Limits = attrs.field(factory=Limits)
    stash: Stash = attrs.field(factory=Stash)
    templates: jinja2.Environment = attrs.field()

    @templates.default
    def _environment(self) -> jinja2.Environment:
        loader = jinja2.PackageLoader(__package__ or "pillarbox_web")
        made = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
        )
        made.filters["commands"] = commands
        return made

    def token(self, who: str, cookie: str) -> str:
        """Return the token that a form of this person has to bring along, bound to the browser's cookie."""
        return hmac.new(self.secret, f"{who}\n{cookie}".encode(), hashlib.sha256).hexdigest()


def commands(sentence: str) -> Markup:
    """Return *sentence* with the commands in it set off as code; all else is escaped."""
    made, end = Markup(), 0
    for found in _COMMAND.finditer(sentence):
        made += escape(sentence[end : found.start()]) + Markup("<code>{}</code>").format(found[0])
        end = found.end()
    return made + escape(sentence[end:])
