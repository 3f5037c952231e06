"""What is set for the sent copies of an account whose server files none: the mailbox that they go to, by IMAP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from pillarbox.settings import Role, Secret, between, setting

from .fields import Encryption, fingerprint, host, is_fingerprint, is_host, is_plain

if TYPE_CHECKING:
    from .settings import SmtpSettings

PORTS = {Encryption.TLS: 993, Encryption.STARTTLS: 143, Encryption.NONE: 143}


@attrs.frozen(kw_only=True)
class SavedCopy:
    """A mailbox reached by IMAP. What signs in is as for sending, unless it is said here."""

    server: str = setting(
        label="Server",
        help="The name of the IMAP server of the mailbox.",
        binds=True,
        converter=host,
        check=is_host,
    )
    encryption: Encryption = setting(
        Encryption.TLS,
        label="Encryption",
        help="TLS is encrypted from the first octet; STARTTLS begins in clear. What you choose is required, and sets"
        " the port.",
        binds=True,
    )
    port: int = setting(
        label="Port",
        help="Set by the encryption: TLS 993, STARTTLS 143.",
        binds=True,
        check=between(1, 65535),
        default=attrs.Factory(lambda self: PORTS[self.encryption], takes_self=True),
    )
    username: str = setting(
        "",
        label="Username",
        help="Who signs in. Empty: who signs in for sending.",
        binds=True,
        check=is_plain,
    )
    username_differs: bool = setting(
        False,
        label="Username differs from the account's",
        help="For a server that knows the mailbox by another name than the account's.",
    )
    password: Secret | None = setting(
        None,
        label="Password",
        help="It goes to the IMAP server alone. Without one the account's own is used, which then is bound to the IMAP"
        " server as well.",
    )
    folder: str = setting(
        "",
        label="Folder",
        help="Its name on the server. Empty: the folder marked as the one for sent mail, else one that is called so.",
        check=is_plain,
    )
    create_folder: bool = setting(
        False,
        label="Create the folder",
        help="Whether to create the folder where there is none.",
    )
    ca_file: str = setting(
        "",
        label="Private CA file",
        help="A PEM file of the certificate authorities to trust instead of the system's.",
        set_by=Role.DEPLOYER,
        binds=True,
        check=is_plain,
    )
    fingerprint: str = setting(
        "",
        label="Certificate fingerprint",
        help="The SHA-256 of the one certificate to accept, whoever issued it.",
        set_by=Role.DEPLOYER,
        binds=True,
        converter=fingerprint,
        check=is_fingerprint,
    )


def saved_copy_problems(settings: SmtpSettings) -> Iterator[str]:
    """Give `field: sentence` for all that keeps an account from signing in where its copies go (rule 16)."""
    copy = settings.saved_copy
    if copy is None:
        return
    own = copy.username and copy.username != settings.username
    if own and settings.authenticate and not (copy.username_differs or settings.username_differs):
        yield (
            f"saved_copy.username: must equal the account's username {settings.username}; if it may differ, set"
            " saved_copy.username_differs = true"
        )
    if not (copy.username or settings.username):
        yield "saved_copy.username: is required, because the account signs in without one"
    if copy.password is None and (own or not (settings.password or settings.sign_in)):
        yield "saved_copy.password: is required, because the account's own does not belong to this user name"


def saved_copy_warnings(settings: SmtpSettings, provider: str) -> Iterator[str]:
    """Give what is doubtful about where copies go, each a sentence with its cure."""
    copy = settings.saved_copy
    if copy is not None and provider:
        yield f"{provider} files sent mail by itself, so saved_copy only serves to look for it."
    if copy is not None and (copy.port, copy.encryption) in _DOUBTFUL:
        yield f"Port {copy.port} of saved_copy usually speaks {_DOUBTFUL[copy.port, copy.encryption]}."


_DOUBTFUL = {
    (993, Encryption.STARTTLS): "TLS from the first octet: set encryption = tls, or port 143",
    (143, Encryption.TLS): "in clear first: set encryption = starttls, or port 993",
}
