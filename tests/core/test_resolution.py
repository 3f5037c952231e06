"""Whose account, which address: every cell of the rules, and no cell that they do not allow."""

from __future__ import annotations

import itertools
import traceback

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillarbox import (
    Address,
    Choice,
    Company,
    Connection,
    FromPolicy,
    InvalidSettings,
    NoMethod,
    PillarboxError,
    SenderMismatch,
    SettingsError,
    TransportNotInstalled,
    Unavailable,
    User,
    resolve,
)
from tests.core.doubles import ByUser, Settings, plugins

COMPANY, ANNA, BOX = "orders@acme.example", "anna@acme.example", "box@acme.example"
PLUGINS = plugins()
METHODS = ("none", "umail", "amail", "cmail")
POLICIES = (None, "user", "account", "send_as")


def acme(method="umail", *, address=COMPANY, policy=None, mailbox="", **more):
    table = {"from_policy": policy, "mailbox": mailbox} if method != "none" else {}
    table = {key: value for key, value in table.items() if value}
    return Company(address=address, name="Acme Ltd", method=method, methods={method: table}, **more)


def anna(choice=Choice.FROM_COMPANY, method="none", *, address=ANNA, **more):
    return User(id="anna", address=address, name="Anna Berg", choice=choice, method=method, **more)


# The rules, written down as a table of their own: what must come out, not how.


def expected(
    company_method,
    user_here,
    choice,
    user_method,
    company_address,
    user_address,
    policy,
    mailbox,
    asked,
    proof,
):
    """Return the class of a refusal, or (owner, From, name, Reply-To, envelope sender, automatic)."""
    if asked == "personal" and not user_here:
        return SettingsError  # rule 3: only its owner's
    personal = asked == "personal" or (asked is None and user_here and choice is Choice.PERSONAL)  # rule 3
    if personal:
        if user_method == "none":
            return NoMethod  # rule 4
        if not user_address:
            return SettingsError  # rule 12
        if user_method == "cmail":
            return ("user:anna", None, None, (), None, False)
        return ("user:anna", ANNA, "Anna Berg", (), ANNA, False)  # rule 11
    if company_method == "none":
        return NoMethod  # rule 5
    box = mailbox or company_address
    if company_method == "cmail":  # the table's second row
        if not user_here:
            return SettingsError  # a mail program is each user's own
        return ("company", None, None, (ANNA,) if user_address else (), None, False)
    shows = policy or {"umail": "user", "amail": "account"}[company_method]  # rule 9, and the table
    # Rule 6: the company's address, where the account may show any; rule 12: each stands in for the other.
    companys = (company_address or mailbox) if shows == "user" else box
    if not user_here:
        return ("company", companys, "Acme Ltd", (), companys, True) if companys else SettingsError
    if shows == "account":
        if not box:
            return SettingsError
        return ("company", box, "Anna Berg", (ANNA,) if user_address else (), box, False)
    if not user_address:  # rule 12
        return ("company", companys, "Anna Berg", (), companys, False) if companys else SettingsError
    if shows == "send_as" and not proof:
        return SenderMismatch  # rule 9
    return ("company", ANNA, "Anna Berg", (), ANNA, False)  # [S] the table's first row


@pytest.mark.parametrize("company_method", METHODS)
@pytest.mark.parametrize("who", ["nobody", "from company", "personal"])
def test_every_cell_is_what_the_rules_say(company_method, who):
    """Company method x choice x user method x addresses x policy x mailbox x account asked for x proof."""
    choice = Choice.PERSONAL if who == "personal" else Choice.FROM_COMPANY
    cells = itertools.product(
        METHODS, (COMPANY, ""), (ANNA, ""), POLICIES, (BOX, ""), (None, "company", "personal"), (True, False)
    )
    for user_method, company_address, user_address, policy, mailbox, asked, proof in cells:
        company = acme(company_method, address=company_address, policy=policy, mailbox=mailbox)
        user = None if who == "nobody" else anna(choice, user_method, address=user_address)
        wanted = expected(
            company_method,
            user is not None,
            choice,
            user_method,
            company_address,
            user_address,
            policy,
            mailbox,
            asked,
            proof,
        )
        cell = (user_method, company_address, user_address, policy, mailbox, asked, proof)
        aliases = (ANNA,) if proof else ("other@acme.example",)
        connections = {"company": Connection(issuer="i", subject="s", aliases=aliases)}
        assert outcome(company, user, asked, connections) == wanted, cell


def outcome(company, user, asked, connections):
    """Return what resolve makes of it, in the form of `expected`; reasons are always there and end in a rule."""
    try:
        route = resolve(company, user, transports=PLUGINS, account=asked, connections=connections)
    except PillarboxError as error:
        return type(error)
    assert len(route.reasons) >= 3
    assert route.reasons[-1].source.startswith("rule: ")
    assert all(reason.text and reason.source for reason in route.reasons)
    shown = route.from_address
    return (
        route.account.owner,
        shown.address if shown else None,
        shown.name if shown else None,
        tuple(address.address for address in route.reply_to),
        route.envelope_sender,
        route.automatic,
    )


TEXTS = st.sampled_from(["", ANNA, COMPANY, BOX, "anna@bücher.example", "Anna@ACME.example"])


@settings(max_examples=400, deadline=None)
@given(
    company_method=st.sampled_from(METHODS),
    user_method=st.sampled_from(METHODS),
    choice=st.sampled_from(list(Choice)),
    addresses=st.tuples(TEXTS, TEXTS, TEXTS),
    policy=st.sampled_from(POLICIES),
    aliases=st.lists(st.sampled_from([ANNA, COMPANY]), max_size=2),
    asked=st.sampled_from([None, "company", "personal"]),
)
def test_no_input_shows_an_address_that_no_rule_allows(
    company_method, user_method, choice, addresses, policy, aliases, asked
):
    """From is the user's own, or the account's mailbox, or the company's: never anything else, never another account's."""
    company_address, user_address, mailbox = addresses
    company = acme(company_method, address=company_address, policy=policy, mailbox=mailbox)
    user = anna(choice, user_method, address=user_address)
    connections = {"company": Connection(issuer="i", subject="s", aliases=aliases)}
    try:
        route = resolve(company, user, transports=PLUGINS, connections=connections, account=asked)
    except PillarboxError:
        return
    shown = route.from_address.address if route.from_address else None
    personal = asked == "personal" or (asked is None and choice is Choice.PERSONAL)
    assert route.account.owner == (
        "user:anna" if personal else "company"
    )  # no refusal falls back to the other
    assert shown in (
        {user_address, None} if personal else {user_address, company_address, mailbox, None} - {""}
    )
    assert route.envelope_sender in {
        None,
        *(Address(one).wire for one in {shown, company_address, mailbox} - {"", None}),
    }
    as_somebody = not personal and shown == user_address != "" and company_method != "cmail"
    if policy == "send_as" and as_somebody:
        proven = [route.account.mailbox, *aliases]
        assert any(Address(user_address).same_mailbox(one) for one in proven)
    if (policy or company_method) in {"account", "amail"} and not personal and shown:
        assert shown == route.account.mailbox
    assert route.reasons[-1].source.startswith("rule:")
    assert route.sender is None
    assert not route.automatic


def test_send_as_with_proof_shows_the_user():
    """An alias that the sign-in listed may be shown (rule 9)."""
    connections = {"company": Connection(issuer="i", subject="s", aliases=(ANNA,))}
    route = resolve(acme("amail", policy="send_as"), anna(), transports=PLUGINS, connections=connections)
    assert str(route.from_address) == f"Anna Berg <{ANNA}>"
    assert "alias" in route.reasons[-1].text


def test_another_domain_is_sent_with_a_warning_that_names_the_way_out():
    """Rule 10: allowed, and told."""
    route = resolve(acme(), anna(address="anna@other.example"), transports=PLUGINS)
    assert route.from_address.address == "anna@other.example"
    assert any('from_policy = "account"' in warning for warning in route.warnings)


@pytest.mark.parametrize("address", ["anna@ACME.example", "anna@acme.example"])
def test_the_same_domain_is_no_other_domain(address):
    """Upper and lower case are one domain."""
    assert resolve(acme(), anna(address=address), transports=PLUGINS).warnings == ()


def test_answers_go_to_the_companys_reply_to():
    """Where the message does not say otherwise."""
    route = resolve(acme(reply_to="desk@acme.example"), anna(), transports=PLUGINS)
    assert [address.address for address in route.reply_to] == ["desk@acme.example"]


def test_the_envelope_sender_can_be_the_accounts():
    """envelope_sender = "account" sends bounces to the account."""
    company = attrs.evolve(acme(), methods={"umail": {"envelope_sender": "account"}})
    route = resolve(company, anna(), transports=PLUGINS)
    assert (route.from_address.address, route.envelope_sender) == (ANNA, COMPANY)


def test_international_domains_reach_the_envelope_as_a_labels():
    """Rule 31."""
    route = resolve(acme(), anna(address="anna@bücher.example"), transports=PLUGINS)
    assert route.envelope_sender == "anna@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("username", "fits"),
    [
        (COMPANY, True),
        (f"  {COMPANY} ", True),
        ("orders@ACME.Example", True),
        ("Orders@acme.example", False),
        ("orders@acme.test", False),
        ("apikey", False),
    ],
)
def test_the_username_must_equal_the_address(username, fits):
    """Rule 16 [S]: after trim, with the domain folded and the local part exact."""
    company = attrs.evolve(acme(), methods={"umail": {"username": username}})
    if fits:
        assert resolve(company, anna(), transports=PLUGINS)
        return
    with pytest.raises(InvalidSettings, match="username_differs"):
        resolve(company, anna(), transports=PLUGINS)


def test_the_username_may_differ_where_that_is_said():
    """The opt-out is explicit."""
    company = attrs.evolve(acme(), methods={"umail": {"username": "apikey", "username_differs": True}})
    assert resolve(company, anna(), transports=PLUGINS).from_address.address == ANNA


@pytest.mark.parametrize(
    ("username", "address", "fits"),
    [
        ("orders@xn--bcher-kva.example", "orders@bücher.example", True),
        ("orders@BÜCHER.example", "orders@xn--bcher-kva.example", True),
        ("orders@bücher.example\t", "orders@Bücher.Example", True),
        ("orders@bucher.example", "orders@bücher.example", False),
        ("orders@strasse.example", "orders@straße.example", False),
        ("örders@acme.example", "orders@acme.example", False),
        ("orders @acme.example", "orders@acme.example", False),
        ("orders@acme.example.", "orders@acme.example", False),
    ],
)
def test_usernames_are_compared_by_their_a_labels(username, address, fits):
    """Rule 16 for international domains: one spelling, and no other's domain."""
    company = attrs.evolve(acme(address=address), methods={"umail": {"username": username}})
    if fits:
        assert resolve(company, None, transports=PLUGINS).account.mailbox == address
        return
    with pytest.raises(InvalidSettings, match="must equal the company's address"):
        resolve(company, None, transports=PLUGINS)


def test_a_personal_accounts_username_must_be_its_owners():
    """Rule 16 for a user: the company's address is somebody else's."""
    user = anna(Choice.PERSONAL, "umail", methods={"umail": {"username": COMPANY}})
    with pytest.raises(InvalidSettings, match="must equal the user's address"):
        resolve(acme(), user, transports=PLUGINS)


def test_a_company_without_an_address_shows_the_one_it_signs_in_with():
    """Rule 12: its mailbox stands in, where that is an address."""
    company = attrs.evolve(acme(address=""), methods={"umail": {"username": BOX}})
    assert resolve(company, None, transports=PLUGINS).from_address.address == BOX
    for username in ("apikey", "ACME\\orders", "a b@acme.example", "@acme.example", "x@y@z"):
        nameless = attrs.evolve(company, methods={"umail": {"username": username}})
        with pytest.raises(SettingsError, match="no address to show"):
            resolve(nameless, None, transports=PLUGINS)


def test_a_mailbox_that_is_no_address_is_told_at_its_place():
    """A sentence about the settings, not about the message."""
    with pytest.raises(
        InvalidSettings, match=r"company\.amail\.mailbox +'no address' is not an e-mail address"
    ):
        resolve(acme("amail", mailbox="no address"), anna(), transports=PLUGINS)


def test_a_user_without_an_address_is_told_of():
    """Rule 12: sent with a warning that says how to mend it; answers go to the company."""
    for method in ("umail", "amail"):
        route = resolve(acme(method, reply_to="desk@acme.example"), anna(address=""), transports=PLUGINS)
        assert any("pillarbox user set anna --address" in warning for warning in route.warnings)
        assert [address.address for address in route.reply_to] == ["desk@acme.example"]


def test_a_user_whose_address_is_the_mailbox_needs_no_reply_to():
    """Answers come there anyway."""
    assert resolve(acme("amail"), anna(address="orders@ACME.example"), transports=PLUGINS).reply_to == ()


@pytest.mark.parametrize("alias", [ANNA, "anna@ACME.EXAMPLE", f" {ANNA} "])
def test_an_alias_is_compared_as_an_address(alias):
    """Case of the domain and spaces around it are nothing."""
    connections = {"company": Connection(issuer="i", subject="s", aliases=(alias,))}
    route = resolve(acme("amail", policy="send_as"), anna(), transports=PLUGINS, connections=connections)
    assert route.from_address.address == ANNA


@pytest.mark.parametrize(
    "alias", ["Anna@acme.example", "anna@acme.example.example", "nna@acme.example", "*", ""]
)
def test_what_only_looks_like_the_alias_is_no_proof(alias):
    """Rule 14: an unpermitted From is refused, never replaced."""
    connections = {"company": Connection(issuer="i", subject="s", aliases=(alias,))}
    with pytest.raises(SenderMismatch, match="from_policy"):
        resolve(acme("amail", policy="send_as"), anna(), transports=PLUGINS, connections=connections)


def test_another_accounts_aliases_are_no_proof():
    """Anna's own connection says nothing of the company's account."""
    connections = {"user:anna": Connection(issuer="i", subject="s", aliases=(ANNA,))}
    with pytest.raises(SenderMismatch):
        resolve(acme("amail", policy="send_as"), anna(), transports=PLUGINS, connections=connections)


def test_a_personal_account_pays_no_heed_to_the_companys_policy():
    """from_policy is the company's (rule 9); a personal account shows its owner (rule 11)."""
    user = anna(
        Choice.PERSONAL, "umail", methods={"umail": {"from_policy": "account", "envelope_sender": "account"}}
    )
    route = resolve(acme(policy="account"), user, transports=PLUGINS)
    assert (route.from_address.address, route.envelope_sender, route.account.owner) == (
        ANNA,
        ANNA,
        "user:anna",
    )


@pytest.mark.parametrize("policy", ["account", FromPolicy.ACCOUNT])
def test_a_host_may_give_settings_of_its_own_making(policy):
    """An instance of the class, with text where a choice belongs: understood, not passed over."""
    made = Settings(from_policy=policy, envelope_sender="account")
    route = resolve(attrs.evolve(acme(), methods={"umail": made}), anna(), transports=PLUGINS)
    assert route.from_address.address == COMPANY
    odd = attrs.evolve(acme(), methods={"umail": Settings(from_policy="accuont")})
    with pytest.raises(SettingsError, match="no policy"):
        resolve(odd, anna(), transports=PLUGINS)


def test_a_plain_mapping_of_transports_does():
    """And what it lacks is not installed."""
    assert resolve(acme(), anna(), transports={"umail": ByUser}).account.method == "umail"
    with pytest.raises(TransportNotInstalled, match="smtp is not installed"):
        resolve(acme("smtp"), anna(), transports={"umail": ByUser})


@pytest.mark.parametrize("question", ["identity", "describe", "warnings"])
def test_a_method_that_fails_at_a_question_is_at_fault(question):
    """Unavailable, without its text: that may hold a secret."""

    def crash(cls, settings):
        raise KeyError("hunter2")

    odd = type("Odd", (ByUser,), {question: classmethod(crash), "__annotations__": {"settings": Settings}})
    with pytest.raises(Unavailable, match="Usermail failed with KeyError") as found:
        resolve(acme("odd"), anna(), transports={"odd": odd})
    assert "hunter2" not in "".join(traceback.format_exception(found.value))


def test_no_explanation_holds_a_secret():
    """References are not followed for it, and are not told."""
    password = {"env": "CANARY_VARIABLE"}
    company = attrs.evolve(acme(), methods={"umail": {"password": password, "username": COMPANY}})
    route = resolve(company, anna(), transports=PLUGINS)
    assert "CANARY" not in " ".join([*(reason.text for reason in route.reasons), *route.warnings])


def test_a_personal_account_of_another_mailbox_is_refused():
    """Rule 11: From must equal the account's mailbox."""
    user = anna(Choice.PERSONAL, "umail", methods={"umail": {"mailbox": BOX}})
    with pytest.raises(SenderMismatch):
        resolve(acme(), user, transports=PLUGINS)


def test_an_account_connected_as_somebody_else_is_refused():
    """Rule 11: a changed address blocks it until it is connected again."""
    user = anna(Choice.PERSONAL, "amail")
    connections = {"user:anna": Connection(issuer="i", subject="s", address="old@acme.example")}
    with pytest.raises(SenderMismatch, match="Connect it again"):
        resolve(acme(), user, transports=PLUGINS, connections=connections)


def test_a_disabled_personal_account_sends_nothing():
    """Rule 7: an administrator may switch it off; the company's does not stand in."""
    with pytest.raises(SettingsError, match="switched off"):
        resolve(acme(), anna(Choice.PERSONAL, "umail", disabled=True), transports=PLUGINS)


def test_a_method_that_is_not_installed_says_what_to_install(absent):
    """For our own names only: a settings file can't advertise a package."""
    with pytest.raises(TransportNotInstalled, match=f"pip install pillarbox-{absent}"):
        resolve(acme(absent), anna(), transports=PLUGINS)
    with pytest.raises(TransportNotInstalled) as refusal:
        resolve(acme("evil-package"), anna(), transports=PLUGINS)
    assert "pip" not in str(refusal.value)


def test_there_is_no_third_account():
    """Only company and personal can be asked for."""
    with pytest.raises(SettingsError):
        resolve(acme(), anna(), transports=PLUGINS, account="any")


def test_a_refusal_names_the_owner_and_both_places_to_mend_it():
    """Rules 4 and 5."""
    with pytest.raises(NoMethod) as company:
        resolve(acme("none"), anna(), transports=PLUGINS)
    with pytest.raises(NoMethod) as user:
        resolve(acme(), anna(Choice.PERSONAL), transports=PLUGINS)
    assert (company.value.owner, user.value.owner) == ("company", "user:anna")
    assert all(
        "company set" in str(error) or "--settings company" in str(error)
        for error in (company.value, user.value)
    )


def test_it_asks_nothing_but_its_arguments():
    """The same arguments give equal routes, and change neither."""
    company, user = acme(), anna()
    assert resolve(company, user, transports=PLUGINS) == resolve(company, user, transports=PLUGINS)
