"""What a person sets up: validation, the command's options and a page's form are all made of this class."""

from urllib.parse import urlsplit

import attrs

from pillarbox import InvalidSettings, Role, Secret
from pillarbox.settings import FromPolicy, setting


@attrs.frozen(kw_only=True)
class ResendSettings:
    """The settings of one account.

    `binds=True` ties the key to where it may go: with another address the stored key is not given out any more.
    """

    url: str = setting(
        "https://api.resend.com", help="Where the API is.", set_by=Role.DEPLOYER, binds=True, advanced=True
    )
    key: Secret | None = setting(
        None, label="API key", help="Empty: the one that this machine has in RESEND_API_KEY."
    )
    hook: Secret | None = setting(
        None, label="Signing secret of the web hook", help="It begins with whsec_. Only for reports."
    )
    from_policy: FromPolicy | None = setting(
        FromPolicy.SEND_AS,
        label="Address shown",
        help="send_as: each user's own address, once its domain is verified at Resend; account: always this account's.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
    )
    timeout: float = setting(30.0, help="Seconds for one exchange, all of it.", advanced=True)

    def __attrs_post_init__(self) -> None:
        """Refuse what could never work, one sentence for each field."""
        problems = []
        if not _keeps_a_key(self.url):
            problems.append("url must be https:// and a host: the key would go in clear, or to another one")
        if not 0 < self.timeout <= 600:
            problems.append("timeout must be more than 0 and at most 600")
        if problems:
            raise InvalidSettings(problems, where="Resend")


def _keeps_a_key(url: str) -> bool:
    """Whether a key that is sent to *url* is seen by its host alone: by TLS, or on this machine."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:  # no number for a port, or half an address
        return False
    return named and (parts.scheme == "https" or (parts.scheme, parts.hostname) == ("http", "127.0.0.1"))
