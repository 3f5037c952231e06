"""resolve(): whose account carries the mail and which address shows, with the reasons. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import attrs

from ._accounts import Transports, account_of, no_method, path_of, sign_in_of, transport_of
from ._address import Address, comparable, shown_domain
from ._connectors import Connection
from ._errors import SenderMismatch, SettingsError
from ._plugins import asked
from ._route import Reason, Route
from ._settings import NONE, Account, Choice, Company, EnvelopeSender, FromPolicy, User
from ._transports import Proof, SenderPolicy, Transport

AccountName: TypeAlias = Literal["company", "personal"]
MayShow: TypeAlias = Callable[[Account, str], Proof | None]
_POLICIES = {SenderPolicy.USER: FromPolicy.USER, SenderPolicy.ACCOUNT: FromPolicy.ACCOUNT}


def resolve(
    company: Company,
    user: User | None,
    *,
    transports: Transports,
    connections: Mapping[str, Connection] | None = None,
    account: AccountName | None = None,
    may_show: MayShow | None = None,
) -> Route:
    """Return the route of mail that *user* (None: nobody in particular) writes.

    Args:
        company: The company's settings.
        user: The acting user's, or None.
        transports: Method name -> transport class.
        connections: What sign-ins learned, by the account's owner.
        account: `company` or `personal` where the caller asks for one; by default the user's choice decides.
        may_show: Asks the carrier for a proof that an account may show an address (`send_as`); None asks nobody.

    Raises:
        NoMethod: The method that counts is None; it never falls back to another account.
        SenderMismatch: The account may not show the address that a rule asks for.
        SettingsError, Unavailable: The account can't be used.
    """
    record, chosen = _whose(company, user, account)
    if record.method == NONE:
        raise no_method(record)
    transport = transport_of(record.method, transports)
    used = account_of(record, company, transports)
    learned = None if connections is None else connections.get(used.owner)
    connection = _counting(used, transport, learned)
    _check_connection(used, connection)
    told = (*chosen, *_about_account(record, used, transport))
    if isinstance(record, User):
        return _personal(record, used, told, transport)
    return _company(company, user, used, told, transport, connection, may_show)


def _whose(
    company: Company, user: User | None, account: str | None
) -> tuple[Company | User, tuple[Reason, ...]]:
    """Return whose account it is (rules 3 to 6), and why."""
    if account not in {None, "company", "personal"}:
        raise SettingsError(f"There is no account {account!r}.", cure='Ask for "company" or "personal".')
    if user is None:
        if account == "personal":
            raise SettingsError("A personal account needs a user.", cure="Name the user who writes.")
        return company, (Reason("No user writes this, so the company does", "rule: no acting user"),)
    if account is not None:
        whose: Company | User = user if account == "personal" else company
        return whose, (Reason(f"The caller asked for the {account} account", "the call"),)
    source = f"{path_of(user)}.settings"
    if user.choice is Choice.PERSONAL:
        return user, (Reason(f"{user}'s e-mail setting is Personal", source),)
    return company, (Reason(f"{user}'s e-mail setting is From company", source),)


def _about_account(
    record: Company | User, account: Account, transport: type[Transport]
) -> tuple[Reason, ...]:
    path, label = path_of(record), transport.label or account.method
    sends = Reason(f"{record} sends by {label}", f"{path}.method")
    sign_in = asked(transport, "describe", account.settings).sign_in
    if not sign_in:
        return (sends,)
    return sends, Reason(f"The connection {sign_in}", f"{path}.{account.method}")


def _counting(
    account: Account, transport: type[Transport], connection: Connection | None
) -> Connection | None:
    """Return *connection* where it is for this account: another may be left of a method that it had before."""
    if connection is None or not connection.connector:
        return connection
    is_ours = (connection.connector, connection.purpose) == sign_in_of(account, transport)
    return connection if is_ours else None


def _check_connection(account: Account, connection: Connection | None) -> None:
    """Refuse an account that was connected as somebody else than it signs in as now (rule 11)."""
    if connection is None or not connection.address or not account.signs_in_as:
        return
    if comparable(connection.address).lower() != comparable(account.signs_in_as).lower():
        raise SenderMismatch(
            f"The account signs in as {account.signs_in_as}, and was connected as {connection.address}.",
            cure="Connect it again.",
        )


def _personal(user: User, account: Account, told: tuple[Reason, ...], transport: type[Transport]) -> Route:
    """Return the route of a personal account: From is the user's address (rule 11)."""
    label = transport.label or account.method
    shown = Reason(
        f"A personal account shows its owner's address {user.address}", f"rule: personal {label}, From = user"
    )
    by_client = transport.sender_policy is SenderPolicy.CLIENT
    return Route(
        account=attrs.evolve(account, desk=user.id) if by_client else account,
        from_address=None if by_client else user.shown,
        envelope_sender=None if by_client else Address(user.address).wire,
        user=user.id,
        reasons=(*told, shown),
        warnings=asked(transport, "warnings", account.settings),
    )


def _company(
    company: Company,
    user: User | None,
    account: Account,
    told: tuple[Reason, ...],
    transport: type[Transport],
    connection: Connection | None,
    may_show: MayShow | None,
) -> Route:
    """Return the route of the company's account, by its policy and what is known of the user (rules 6, 9, 10, 12)."""
    label = transport.label or account.method
    route = Route(
        account=account,
        from_address=None,
        user=user.id if user else None,
        automatic=user is None,
        reasons=told,
        warnings=asked(transport, "warnings", account.settings),
    )
    if transport.sender_policy is SenderPolicy.CLIENT:
        return _by_client(route, company, user, label)
    policy = _policy(account, transport)
    if user is None:
        return _by_nobody(route, company, policy, label)
    if policy is FromPolicy.ACCOUNT:
        return _by_account(route, company, user, label)
    if not user.address:
        return _without_address(route, company, user, policy)
    if policy is FromPolicy.SEND_AS:
        return _by_send_as(route, user, connection, label, may_show)
    return _by_user(route, company, user, label)


def _policy(account: Account, transport: type[Transport]) -> FromPolicy:
    """Return what the account shows for a user: what its settings say, else what its method does (rule 9)."""
    said = getattr(account.settings, "from_policy", None) or _POLICIES[transport.sender_policy]
    try:
        return FromPolicy(said)
    except ValueError:
        raise SettingsError(
            f"from_policy is {said!r:.60}, which is no policy.", cure="Say user, account or send_as."
        ) from None


def _by_client(route: Route, company: Company, user: User | None, label: str) -> Route:
    """Return the route by a mail program: that of the user who writes, on their computer, or of the one who is named.

    The program decides the From, unless the settings say `require_match`: then it has to be the writer's address.
    """
    account = route.account
    desk = user.id if user else getattr(account.settings, "desktop_user", "")
    if not desk:
        raise SettingsError(
            f"{label} is each user's own, on their computer, and no user writes this.",
            cure="Name the user who writes, or whose it is to be for mail that nobody in particular writes:"
            " pillarbox company set --desktop-user USER",
        )
    whose = user or f"the user {desk}"
    reasons = (
        Reason(f"It is carried by {label} on the computer of {whose}", f"rule: {label} is each user's own"),
        Reason(
            f"{label} shows the account that it is set up with", f"rule: company {label}, From = {label}'s"
        ),
    )
    writer = user.shown if user else company.shown
    has_to_match = getattr(account.settings, "require_match", False)
    return attrs.evolve(
        route,
        account=attrs.evolve(account, desk=desk),
        from_address=writer if has_to_match else None,
        reply_to=(user.shown,) if user and user.shown else (),
        reasons=(*route.reasons, *reasons),
    )


def _companys(route: Route, company: Company, policy: FromPolicy) -> str:
    """Return what the account shows of the company: its address where any may be shown (rule 6), else its mailbox.

    Each stands in for the other (rule 12).
    """
    both = (company.address, route.account.mailbox)
    address = next(filter(None, both if policy is FromPolicy.USER else reversed(both)), "")
    if not address:
        raise SettingsError(
            f"{company} has no address to show.", cure="Give one: pillarbox company set --address NAME@DOMAIN"
        )
    return address


def _by_nobody(route: Route, company: Company, policy: FromPolicy, label: str) -> Route:
    address = _companys(route, company, policy)
    reason = Reason(f"{label} shows the company's address", "rule: no acting user, From = company")
    return attrs.evolve(
        route,
        from_address=Address(address, company.name),
        envelope_sender=Address(address).wire,
        reply_to=_company_reply_to(company),
        reasons=(*route.reasons, reason),
    )


def _by_account(route: Route, company: Company, user: User, label: str) -> Route:
    mailbox = _companys(route, company, FromPolicy.ACCOUNT)
    reason = Reason(
        f"{label} shows the account's mailbox with the user's name", f"rule: company {label}, From = account"
    )
    return attrs.evolve(
        route,
        from_address=Address(mailbox, user.name or company.name),
        envelope_sender=Address(mailbox).wire,
        reply_to=_answers(user, mailbox, company),
        reasons=(*route.reasons, reason),
        warnings=(*route.warnings, *(() if user.address else (_no_address(user),))),
    )


def _answers(user: User, mailbox: str, company: Company) -> tuple[Address, ...]:
    """Return where answers go to mail that shows *mailbox*: to the user; to the company where they have no address."""
    if user.shown is None:
        return _company_reply_to(company)
    return () if user.shown.same_mailbox(mailbox) else (user.shown,)


def _without_address(route: Route, company: Company, user: User, policy: FromPolicy) -> Route:
    address = _companys(route, company, policy)
    reason = Reason(
        f"{user} has no address, so the company's shows, with their name", "rule: user without an address"
    )
    return attrs.evolve(
        route,
        from_address=Address(address, user.name or company.name),
        envelope_sender=Address(address).wire,
        reply_to=_company_reply_to(company),
        reasons=(*route.reasons, reason),
        warnings=(*route.warnings, _no_address(user)),
    )


def _no_address(user: User) -> str:
    return f"{user} has no address; answers go to the company. Give one: pillarbox user set {user.id} --address A"


def _by_send_as(
    route: Route, user: User, connection: Connection | None, label: str, may_show: MayShow | None
) -> Route:
    mailbox = route.account.mailbox
    own = bool(mailbox) and Address(user.address).same_mailbox(mailbox)
    listed = connection is not None and comparable(user.address) in map(comparable, connection.aliases)
    proof = may_show(route.account, user.address) if may_show and not (own or listed) else None
    if not (own or listed or proof):
        raise SenderMismatch(
            f"The company's {label} account is not known to be allowed to show {user.address}.",
            cure='Add it as an alias or grant Send As and connect again, or set from_policy = "account".',
        )
    how = (
        "its own mailbox"
        if own
        else "in its list of aliases"
        if listed or not proof
        else f"proven by {proof.how}"
    )
    reason = Reason(
        f"{label} shows {user.address}, which is {how}", "rule: from_policy = send_as, with proof"
    )
    return attrs.evolve(
        route,
        from_address=user.shown,
        envelope_sender=Address(user.address).wire,
        reasons=(*route.reasons, reason),
    )


def _by_user(route: Route, company: Company, user: User, label: str) -> Route:
    address = Address(user.address, user.name)
    by_account = getattr(route.account.settings, "envelope_sender", None) in _BY_ACCOUNT
    envelope = route.account.mailbox if by_account and route.account.mailbox else user.address
    reason = Reason(f"{label} shows the user's own address", f"rule: company {label}, From = user")
    return attrs.evolve(
        route,
        from_address=address,
        envelope_sender=Address(envelope).wire,
        reply_to=_company_reply_to(company),
        reasons=(*route.reasons, reason),
        warnings=(*route.warnings, *_other_domain(address, route.account.mailbox)),
    )


_BY_ACCOUNT = (EnvelopeSender.ACCOUNT, EnvelopeSender.ACCOUNT.value)


def _company_reply_to(company: Company) -> tuple[Address, ...]:
    return (Address(company.reply_to),) if company.reply_to else ()


def _other_domain(shown: Address, mailbox: str) -> tuple[str, ...]:
    """Return the warning of rule 10, where the user's domain is not the account's."""
    ours, theirs = shown.wire.rpartition("@")[2].lower(), comparable(mailbox).rpartition("@")[2]
    if not mailbox or ours == theirs:
        return ()
    warning = (
        f"The mail shows {shown_domain(shown.domain)} and is sent by an account of {shown_domain(theirs)}: the server"
        ' may refuse it, and DMARC may fail. If it does, set from_policy = "account".'
    )
    return (warning,)
