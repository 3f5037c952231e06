"""The part of a fake that is the same for every provider."""

from __future__ import annotations

import http.client
import json
from contextlib import closing

import pytest

from pillarbox.testing._http.fake import HttpFake
from pillarbox.testing._http.faults import Answer, Fault, Plan
from pillarbox.testing._http.values import Call, Reply, Token


class Counter(HttpFake):
    """Counts what it processes."""

    STEPS = ("count",)

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def step(self, call: Call) -> str:
        return "count" if call.path == "/count" else ""

    def answer(self, call: Call, step: str) -> Reply:
        if call.path == "/broken":
            raise ZeroDivisionError
        self.count += 1
        token = self.holder(call)
        return Reply.json(token and token.address)

    def refusal(self, plan: Plan) -> Reply:
        return Reply(plan.fault.status if isinstance(plan.fault, Answer) else 500)


def ask(fake: HttpFake, path: str = "/count", token: str = "") -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(fake.url.partition("//")[2], timeout=20)) as line:
        line.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = line.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize(
    ("fault", "status", "processed"),
    [
        (Fault.SLOW, 200, 1),
        (Fault.CUT_BEFORE, 0, 0),
        (Fault.CUT_AFTER, 0, 1),
        (Fault.GARBAGE, 200, 1),
        (Fault.ERROR, 500, 0),
        (Answer(403), 403, 0),
        (Answer(503, headers={"A": "b"}, processed=True), 503, 1),
    ],
)
def test_a_fault_processes_or_does_not(fault: Fault | Answer, status: int, processed: int):
    with Counter() as fake:
        fake.fault("count", fault)
        try:
            assert ask(fake)[0] == status
        except http.client.RemoteDisconnected:
            assert status == 0
        assert (fake.count, [one.status for one in fake.requests]) == (processed, [status])
        assert ask(fake)[0] == 200


def test_garbage_is_no_json():
    with Counter() as fake:
        fake.fault("count", Fault.GARBAGE)
        with pytest.raises(ValueError, match=r"utf|JSON|Expecting"):
            json.loads(ask(fake)[1])


def test_a_step_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="count"):
        Counter().fault("cuont", Fault.ERROR)


def test_tokens_are_made_here_or_asked_for():
    """Those made here are not asked for; the empty one never."""
    asked: list[str] = []
    with Counter() as fake:
        assert ask(fake, token="x")[1] == b"null"
        fake.accepts(lambda token: asked.append(token) or Token("bob@acme.example"))
        made = fake.token("anna@acme.example", "scope")
        assert ask(fake, token=made)[1] == b'"anna@acme.example"'
        assert ask(fake, token="theirs")[1] == b'"bob@acme.example"'
        assert ask(fake)[1] == b"null"
    assert asked == ["theirs"]


def test_what_fails_inside_the_fake_is_raised_where_it_is_left():
    fake = Counter()
    with pytest.raises(ZeroDivisionError), fake:
        assert ask(fake, "/broken")[0] == 500


def fails_by_itself() -> None:
    with Counter() as fake:
        ask(fake, "/broken")
        raise KeyError


def test_a_tests_own_failure_goes_first():
    with pytest.raises(KeyError):
        fails_by_itself()
