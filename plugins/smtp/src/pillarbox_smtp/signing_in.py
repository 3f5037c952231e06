"""What an account signs in with: by which mechanism, with which password or token, and when another token is worth a try."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from pillarbox import Credentials, SendDeferred, SignInNeeded

from . import hosts, sasl
from .judgement import finding_of, marked
from .settings import WITH_CERTIFICATE, WITH_TOKEN, SmtpSettings

TOKEN_PURPOSE = "smtp"  # noqa: S105  (what the token is for)
_ABOUT_PROOF = frozenset({"sign-in-refused", "sign-in-wrong", "sign-in-unsuccessful", "sign-in-app-password"})
"""What servers say of a credential that they do not take; their other refusals a new one would meet too."""
_ABOUT_PASSWORD = frozenset({"sign-in-refused", "sign-in-wrong"})
_OTHER_MECHANISM = (
    "Name one that it offers in the setting sasl, if that is safe enough; CRAM-MD5 is never used unasked."
)
_NO_SIGN_IN = (
    "Use the port for submission (587 with STARTTLS, 465 with TLS), or set authenticate = false for a server that takes"
    " mail from this machine without."
)


def mechanism_for(settings: SmtpSettings, offered: Sequence[str]) -> str:
    """Return the first SASL mechanism of *settings* that the server has *offered*.

    Raises:
        SendDeferred: There is none.
    """
    for name in settings.mechanisms:
        if name in offered:
            return name
    wanted = ", ".join(settings.mechanisms)
    told = f"offers only {', '.join(offered)}" if offered else "offers no sign-in"
    error = SendDeferred(
        f"{settings.server} {told}, and the settings ask for {wanted}; nothing left.",
        stage="sign-in",
        cure=_OTHER_MECHANISM if offered else _NO_SIGN_IN,
    )
    raise marked(error, "sign-in-mechanism" if offered else "sign-in-not-offered")


def proof_for(credentials: Credentials | None, mechanism: str, server: str) -> str:
    """Return the password or the token for *mechanism* at *server*; "" where TLS has shown a certificate already.

    Raises:
        SignInNeeded, SettingsError, SendDeferred: It can't be had, or not now.
    """
    if mechanism in WITH_CERTIFICATE:
        return ""
    known = required(credentials, "sign-in")
    return known.token(TOKEN_PURPOSE, host=server) if mechanism in WITH_TOKEN else known.secret("password")


def required(credentials: Credentials | None, stage: str) -> Credentials:
    """Return *credentials*, which there have to be.

    Raises:
        SignInNeeded: There are none.
    """
    if credentials is None:
        raise SignInNeeded(
            "No credentials were given for this account.", stage=stage, cure="Set its password."
        )
    return credentials


def dialogue_for(mechanism: str, username: str, proof: str) -> sasl.Dialogue:
    """Return the exchange by which *username* signs in.

    Raises:
        SignInNeeded: The user name or the password can't be sent.
    """
    try:
        return _DIALOGUES[mechanism](username, proof)
    except sasl.SaslError as error:
        said = str(error)
    raise marked(
        SignInNeeded(f"Signing in is not possible: {said}.", stage="sign-in", cure="Enter them again."),
        "sign-in-wrong",
    )


def another_token(credentials: Credentials | None, refused: str, server: str) -> str:
    """Return a token for *server* in the place of the *refused* one, which a server may know to be invalid before we do; or "".

    Raises:
        SignInNeeded, SendDeferred: It can't be had, or not now.
    """
    known = required(credentials, "sign-in")
    known.refuse(refused)
    token = known.token(TOKEN_PURPOSE, host=server)
    return "" if token == refused else token


def understood(error: SignInNeeded, settings: SmtpSettings, dialogue: sasl.Dialogue) -> SignInNeeded:
    """Return the refusal *error* with what helps: where it is a token's or a certificate's, not what helps a password."""
    if finding_of(error, "") not in _ABOUT_PROOF:
        return error
    if isinstance(dialogue, sasl.Bearer):
        cure = f"Connect the account again, signed in as {settings.username}."
        return _instead(error, "sign-in-token-refused", cure, dialogue.told)
    if dialogue.name in WITH_CERTIFICATE:
        cure = f"Have the server's administrator map the certificate in client_certificate to {settings.username}."
        return _instead(error, "sign-in-certificate-refused", cure)
    known = hosts.host(settings.server)
    if known.app_passwords and finding_of(error, "") in _ABOUT_PASSWORD:
        meaning = f"{known.provider} takes app passwords only, never the account's own"
        cure = f"Make one at {known.app_passwords} and enter it."
        other = SignInNeeded(error.detail, stage=error.stage, code=error.code, cure=f"{meaning}. {cure}")
        return marked(other, "sign-in-app-password", meaning, cure)
    return error


def is_of_token(error: SignInNeeded) -> bool:
    """Whether *error*, as `understood`, says that a token is not taken, rather than what another would meet as well."""
    return finding_of(error, "") == "sign-in-token-refused"


def _instead(error: SignInNeeded, finding: str, cure: str, told: str = "") -> SignInNeeded:
    said = f"; it says that {told}." if told else ""
    other = SignInNeeded(f"{error.detail}{said}", stage=error.stage, code=error.code, cure=cure)
    return marked(other, finding)


def _scram(username: str, password: str) -> sasl.Dialogue:
    return sasl.ScramSha256(username, password, secrets.token_urlsafe(24))


_DIALOGUES: dict[str, Callable[[str, str], sasl.Dialogue]] = {
    "SCRAM-SHA-256": _scram,
    "PLAIN": sasl.plain,
    "LOGIN": sasl.login,
    "CRAM-MD5": sasl.CramMd5,
    "XOAUTH2": sasl.xoauth2,
    "OAUTHBEARER": sasl.oauthbearer,
    "EXTERNAL": lambda username, _: sasl.external(username),
}
