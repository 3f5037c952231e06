"""What Microsoft 365 and Gmail mean by their refusals: rows of the table of meanings, read from the top.

Both word many reasons under few codes, so most rows go by words. Where SMTP itself is switched off a token does not
help, and its row does not say that one would.
"""

from __future__ import annotations

from .meaning import ENVELOPE, SIGN_IN, Meaning

ANYWHERE = (SIGN_IN, *ENVELOPE)
_BY_GRAPH = "Use Microsoft 365 instead: set method = m365 and connect"
_BY_TOKEN = f"{_BY_GRAPH}; or keep SMTP and set sign_in = m365 in the place of the password."
_BY_GMAIL = "or use Gmail instead: set method = gmail and connect."

MICROSOFT = (
    Meaning(
        "smtp-auth-off-tenant",
        ANYWHERE,
        (),
        (),
        ("smtpclientauthentication is disabled for the tenant",),
        "Microsoft 365 has SMTP AUTH switched off for the whole organisation, with a password and with a token alike",
        f"The password or the sign-in may be right. {_BY_GRAPH}; or have an Exchange administrator switch it on for"
        " this mailbox (Authenticated SMTP, under its mail apps) or for the organisation.",
    ),
    Meaning(
        "smtp-auth-off-mailbox",
        ANYWHERE,
        (),
        (),
        ("smtpclientauthentication is disabled",),
        "Microsoft 365 has SMTP AUTH switched off for this mailbox, with a password and with a token alike",
        f"The password or the sign-in may be right. {_BY_GRAPH}; or have an administrator switch Authenticated SMTP on"
        " for this mailbox, under its mail apps.",
    ),
    Meaning(
        "smtp-basic-auth-off",
        ANYWHERE,
        (),
        (),
        ("basic authentication is disabled", "basic authentication is not supported"),
        "Microsoft 365 takes no passwords here any more",
        f"The password may be right. {_BY_TOKEN}",
    ),
    Meaning(
        "sign-in-security-defaults",
        ANYWHERE,
        (),
        (),
        ("security defaults",),
        "the security defaults of the organisation forbid a sign-in with a password",
        f"The account is not locked, and the password may be right. {_BY_TOKEN}",
    ),
    Meaning(
        "sign-in-locked",
        (SIGN_IN,),
        (),
        ("5.7.139",),
        ("locked", "disabled"),
        "the account is locked or disabled",
        "Ask the administrator of the mailbox; the password may be right.",
    ),
    Meaning(
        "sign-in-wrong",
        (SIGN_IN,),
        (),
        ("5.7.139",),
        ("credentials were incorrect",),
        "the user name or the password is wrong",
        "Check the user name and enter the password again.",
    ),
    Meaning(
        "sign-in-conditional-access",
        (SIGN_IN,),
        (),
        ("5.7.139",),
        ("did not meet the criteria", "conditional access"),
        "a policy of the organisation (conditional access, an authentication policy) forbids this sign-in",
        "The password or the sign-in may be right. Ask the administrator to look at the sign-in log in Entra, which names"
        f" the policy. {_BY_GRAPH} where that is allowed.",
    ),
    Meaning(
        "sign-in-policy",
        (SIGN_IN,),
        (),
        ("5.7.139",),
        (),
        "Microsoft 365 forbids this sign-in",
        f"The password may be right. {_BY_GRAPH}; or ask the administrator.",
    ),
    Meaning(
        "sign-in-unsuccessful",
        (SIGN_IN,),
        (),
        ("5.7.3",),
        ("authentication unsuccessful",),
        "the user name or the password is wrong, or Authenticated SMTP is off for the mailbox: Microsoft 365 says no more",
        "Check the user name and enter the password again; if it is right, have an administrator look at the mailbox, or"
        " set method = m365 and connect.",
    ),
    Meaning(
        "sign-in-required",
        ANYWHERE,
        (),
        ("5.7.57",),
        (),
        "the server wants a sign-in",
        "Set authenticate = true with a username, and sign_in = m365 or a password; or set method = m365 and connect.",
    ),
    Meaning(
        "sender-not-allowed",
        ENVELOPE,
        (),
        ("5.7.60", "5.2.252"),
        (),
        "this account may not send as that address",
        "Have an Exchange administrator give the account Send As for that mailbox, or set from_policy = "
        '"account".',
    ),
)

GOOGLE = (
    Meaning(
        "sign-in-app-password",
        (SIGN_IN,),
        (),
        ("5.7.9",),
        ("application-specific", "app password", "gsmtp"),
        "Google wants an app password here, not the account's own",
        f"Make one at myaccount.google.com/apppasswords and enter it, {_BY_GMAIL}",
    ),
    Meaning(
        "sign-in-browser",
        (SIGN_IN,),
        (),
        ("5.7.14",),
        (),
        "the provider wants a person to sign in with a browser first",
        f"Sign in to the mailbox with a browser once, then try again; {_BY_GMAIL}",
    ),
    Meaning(
        "sign-in-app-password",
        (SIGN_IN,),
        (),
        ("5.7.8",),
        ("gsmtp", "badcredentials"),
        "Gmail refused the user name or the password; it takes app passwords only",
        f"Enter an app password (myaccount.google.com/apppasswords), {_BY_GMAIL}",
    ),
)

OF_PROVIDERS = (*MICROSOFT, *GOOGLE)
"""All of them. No row of the one reads a reply of the other: their enhanced codes and words differ."""
