"""What a server's refusal means beyond its words, and what helps: one table, read from the top."""

from __future__ import annotations

from .meaning import CONTENT, ENVELOPE, RECIPIENT, SENDER, SIGN_IN, Meaning
from .provider_meanings import OF_PROVIDERS
from .replies import Reply

_RETYPE = "Check the user name and enter the password again."

MEANINGS = (
    Meaning(
        "tls-client-required",
        ("greeting",),
        (),
        (),
        ("no client certificate presented",),
        "the server wants a client certificate",
        "Set client_certificate and client_key to what the server's administrator gave you.",
    ),
    Meaning(
        "tls-client-refused",
        ("greeting",),
        (),
        (),
        ("client certificate not trusted",),
        "the server does not accept our client certificate",
        "Show the server's administrator the certificate in client_certificate, or have another issued.",
    ),
    *OF_PROVIDERS,
    Meaning(
        "sign-in-locked",
        (SIGN_IN,),
        (),
        (),
        ("locked", "account is disabled", "account disabled"),
        "the account is locked or disabled",
        "Ask the administrator of the mailbox; the password may be right.",
    ),
    Meaning(
        "sign-in-encryption",
        (SIGN_IN,),
        (538,),
        (),
        (),
        "the server takes this sign-in under encryption only",
        "Set encryption = starttls or tls.",
    ),
    Meaning(
        "sign-in-encryption",
        (SIGN_IN, *ENVELOPE),
        (530, 538),
        (),
        ("starttls", "must issue a", "encryption required"),
        "the server wants encryption first",
        "Set encryption = starttls.",
    ),
    Meaning(
        "sign-in-mechanism",
        (SIGN_IN,),
        (534, 504),
        (),
        (),
        "the server does not take this sign-in mechanism for this account",
        "Name another in the setting sasl, or ask the provider which it takes.",
    ),
    Meaning(
        "sign-in-transition",
        (SIGN_IN,),
        (432,),
        ("4.7.12",),
        (),
        "the password has to be entered once in another way before this mechanism works",
        'Set sasl = ["PLAIN"] for one message.',
    ),
    Meaning(
        "sign-in-too-often",
        (SIGN_IN,),
        (454, 421, 432, 451),
        (),
        ("too many", "concurrent", "rate", "limit"),
        "the account signs in too often",
        "Wait; pillarbox tries again later. Fewer connections may help.",
    ),
    Meaning(
        "sign-in-later",
        (SIGN_IN,),
        (421, 432, 450, 451, 454),
        (),
        (),
        "the server can't check the sign-in now",
        "Wait; pillarbox tries again later.",
    ),
    Meaning(
        "sign-in-wrong",
        (SIGN_IN,),
        (535,),
        (),
        (),
        "the user name or the password is wrong, or the account may not send by SMTP",
        _RETYPE,
    ),
    Meaning(
        "sign-in-required",
        ENVELOPE,
        (530,),
        (),
        (),
        "the server wants a sign-in",
        "Set authenticate = true, with a username and a password.",
    ),
    Meaning(
        "sender-not-allowed",
        ENVELOPE,
        (550, 551, 553, 554),
        (),
        (
            "send as",
            "sendas",
            "not owned by",
            "sender address rejected",
            "sender not allowed",
            "not authorized to send from",
            "not permitted to send",
            "sender mismatch",
            "sender verify failed",
        ),
        "this account may not send as that address",
        'Let the account send as it, or set from_policy = "account".',
    ),
    Meaning(
        "relay-denied",
        (RECIPIENT, CONTENT),
        (550, 551, 553, 554),
        (),
        ("relay",),
        "the server does not pass on mail for this connection",
        "Set authenticate = true with a username and a password, or have this machine allowed to relay.",
    ),
    Meaning(
        "message-too-large",
        ENVELOPE,
        (552,),
        ("5.3.4", "5.2.3"),
        (),
        "the message is larger than the server takes",
        "Send less, or a link to it.",
    ),
    Meaning(
        "sender-not-allowed",
        (SENDER,),
        (550, 553),
        (),
        (),
        "the server does not take mail from that address",
        'Check the address; if the account may show only its own, set from_policy = "account".',
    ),
)


def meaning_of(stage: str, reply: Reply) -> Meaning | None:
    """Return the first row that applies to *reply* at *stage*, or None where its own words are all there is."""
    words = reply.text.lower()
    return next((row for row in MEANINGS if row.fits(stage, reply, words)), None)
