"""What is built in is what Google's discovery document says."""

from __future__ import annotations

import pytest

from pillarbox.testing.gmail import FakeGmail
from pillarbox.testing.gmail._api import Api
from tests.core.testing.gmail.asking import ORDERS, client
from tests.gmail_discovery import discovery

BUILT_IN, DISCOVERED = Api.built_in(), Api.discovered(discovery())


@pytest.mark.parametrize("name", BUILT_IN.methods)
def test_a_method_is_as_google_says(name: str):
    """Its path, scopes, parameters, body and sizes."""
    assert BUILT_IN.methods[name] == DISCOVERED.methods[name]


@pytest.mark.parametrize("name", BUILT_IN.schemas)
def test_a_schema_is_as_google_says(name: str):
    assert BUILT_IN.schemas[name] == DISCOVERED.schemas[name]


def test_every_query_may_have_what_google_says():
    assert BUILT_IN.parameters == DISCOVERED.parameters


def test_no_schema_is_missing():
    """Each that a body names is there."""
    named = {kind.strip("[#]") for one in BUILT_IN.schemas.values() for kind in one.values() if "#" in kind}
    bodies = {method.request for method in BUILT_IN.methods.values() if method.request}
    assert named | bodies == set(BUILT_IN.schemas)


def test_a_message_may_have_35_mib():
    upload = BUILT_IN.methods["gmail.users.messages.send"].upload
    assert upload is not None
    assert upload.size == 35 * 1024 * 1024


def test_a_literal_goes_before_a_name():
    """`drafts/send` is no draft called send."""
    found = DISCOVERED.find("POST", ("gmail", "v1", "users", "me", "drafts", "send"))
    assert found is not None
    assert (found.method.id, found.values) == ("gmail.users.drafts.send", {"userId": "me"})


def test_both_make_the_same_fake():
    """Without the document it is asked and answers alike."""
    with FakeGmail() as gmail:
        gmail.add_mailbox(ORDERS)
        said = client(gmail, "gmail.send").send()
        assert (said.status, said.json["labelIds"]) == (200, ["SENT"])
        assert client(gmail, "gmail.send").ask("GET", "messages").reason == "insufficientPermissions"
