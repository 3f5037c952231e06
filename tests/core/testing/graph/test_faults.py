"""What goes wrong, the limits, and what the fake remembers."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from pillarbox.testing.graph import Answer, FakeGraph, Fault, Manners
from tests import systems
from tests.core.testing.graph.asking import ANNA, Client, anna, message, mime, only, serving

BODY = {"message": message()}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault.THROTTLED, (429, "ApplicationThrottled")),
        (Fault.UNAVAILABLE, (503, "ErrorServerBusy")),
        (Fault.ERROR, (500, "ErrorInternalServerError")),
        (Fault.UNAUTHORIZED, (401, "InvalidAuthenticationToken")),
        (Answer(403, "ErrorAccessDenied", "Access to OData is disabled."), (403, "ErrorAccessDenied")),
        (Answer(507, "ErrorQuotaExceeded"), (507, "ErrorQuotaExceeded")),
    ],
)
def test_a_fault_is_an_answer_and_nothing_is_sent(fault: Fault | Answer, told: tuple[int, str]):
    with serving() as graph:
        graph.fault("sendMail", fault)
        said = anna(graph).post("/sendMail", BODY)
        assert (said.error, bool(said.json["error"]["message"]), graph.sent(ANNA)) == (told, True, [])
        assert anna(graph).post("/sendMail", BODY).status == 202


def test_throttling_says_when_to_come_back_if_it_is_to():
    with serving() as graph:
        graph.fault("sendMail", Fault.THROTTLED, retry_after=6.5)
        graph.fault("sendMail", Fault.THROTTLED)
        headers = [anna(graph).post("/sendMail", BODY).headers for _ in range(2)]
    assert [one.get("retry-after") for one in headers] == ["7", None]


def test_an_error_can_hide_that_the_mail_was_sent():
    with serving() as graph:
        graph.fault("sendMail", Answer(500, "ErrorInternalServerError", processed=True))
        assert anna(graph).post("/sendMail", BODY).status == 500
        assert only(graph).shown == ANNA


@pytest.mark.parametrize(("fault", "sent"), [(Fault.CUT_BEFORE, 0), (Fault.CUT_AFTER, 1)])
def test_a_cut_line_gives_no_answer(fault: Fault, sent: int):
    with serving() as graph:
        graph.fault("sendMail", fault)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            anna(graph).post("/sendMail", BODY)
        assert (len(graph.sent(ANNA)), graph.requests[0].status) == (sent, 0)


def test_garbage_hides_that_the_mail_was_sent():
    with serving() as graph:
        graph.fault("send", Fault.GARBAGE)
        client = anna(graph)
        said = client.post(f"/messages/{client.draft()}/send")
        with pytest.raises(UnicodeDecodeError):
            said.octets.decode()
        assert (said.status, len(graph.sent(ANNA))) == (200, 1)


def test_a_fault_waits_for_its_turn():
    with serving() as graph:
        graph.fault("sendMail", Fault.UNAVAILABLE, after=1, times=2)
        answers = [anna(graph).post("/sendMail", BODY).status for _ in range(4)]
    assert answers == [202, 503, 503, 202]
    with pytest.raises(ValueError, match="not a step"):
        graph.fault("sendmail", Fault.ERROR)


def test_faults_that_have_not_happened_are_forgotten():
    with serving() as graph:
        graph.fault("sendMail", Fault.ERROR, times=9)
        assert anna(graph).post("/sendMail", BODY).status == 500
        graph.heal()
        assert anna(graph).post("/sendMail", BODY).status == 202


def test_a_mailbox_is_asked_four_things_at_once():
    """While four requests take their time the fifth is refused, and another mailbox is not concerned."""
    with ThreadPoolExecutor(4) as pool, serving() as graph:
        graph.add_mailbox("sales@acme.example")
        other = Client(graph, graph.token("sales@acme.example", "Mail.Read"))
        graph.fault("list", Fault.SLOW, times=4, seconds=60)
        for _ in range(4):
            pool.submit(anna(graph).get, "/messages")
        wait_for(lambda: graph.most_at_once(ANNA) == 4)
        said = anna(graph).get("")
        assert (said.error, said.headers["retry-after"]) == ((429, "ApplicationThrottled"), "1")
        assert "MailboxConcurrency" in said.json["error"]["message"]
        assert (other.get("/messages").status, graph.most_at_once(ANNA)) == (200, 5)


def wait_for(true) -> None:
    """Return once *true* says so; the test's own time-out is the limit."""
    pause = threading.Event()
    while not true():
        pause.wait(0.005)


def test_a_mailbox_sends_as_much_as_it_may_in_a_minute():
    now = [0.0]
    with serving(Manners(per_minute=2), clock=lambda: now[0]) as graph:
        client = anna(graph)
        answers = [client.post("/sendMail", BODY).status for _ in range(2)]
        now[0] = 45.0
        refused = client.mime("/sendMail", mime())
        assert (answers, refused.status, refused.headers["retry-after"]) == ([202, 202], 429, "15")
        now[0] = 60.0
        assert client.post("/sendMail", BODY).status == 202
    assert len(graph.sent(ANNA)) == 3


def test_requests_are_remembered_without_the_token():
    with serving() as graph:
        client = anna(graph)
        client.post("/sendMail", BODY, **{"client-request-id": "mine"})
        client.get("/calendar")
        sent, odd = graph.requests
    assert (sent.method, sent.path, sent.step, sent.status) == ("POST", "/v1.0/me/sendMail", "sendMail", 202)
    assert (sent.octets, sent.headers["client-request-id"]) == (len(json.dumps(BODY)), "mine")
    assert (odd.step, odd.status) == ("", 400)
    assert client.token not in repr(graph.requests)


def test_a_post_says_how_long_it_is():
    with serving() as graph:
        line = http.client.HTTPConnection(graph.url.removeprefix("http://"), timeout=20)
        line.putrequest("POST", "/v1.0/me/sendMail")
        line.endheaders()
        answer = line.getresponse()
        assert (answer.status, json.loads(answer.read())["error"]["code"]) == (411, "BadRequest")
        line.close()


def test_a_body_may_come_in_chunks():
    with serving() as graph:
        line = http.client.HTTPConnection(graph.url.removeprefix("http://"), timeout=20)
        headers = {"Authorization": f"Bearer {anna(graph).token}", "Content-Type": "application/json"}
        octets = json.dumps(BODY).encode()
        line.request(
            "POST", "/v1.0/me/sendMail", iter([octets[:9], octets[9:]]), headers, encode_chunked=True
        )
        assert line.getresponse().status == 202
        line.close()


def test_it_speaks_tls():
    authority = trustme.CA()
    serving_tls, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(serving_tls)
    authority.configure_trust(asking)
    with FakeGraph(tls=serving_tls) as graph:
        line = http.client.HTTPSConnection(graph.url.removeprefix("https://"), timeout=20, context=asking)
        line.request("GET", "/v1.0/me")
        assert line.getresponse().status == 401
        line.close()


@systems.wakes
def test_nothing_is_left_and_nothing_printed(capfd):
    """A client that hangs, one that is silent and one that stays connected are let go."""
    before = threading.active_count()
    with serving() as graph:
        graph.fault("me", Fault.HANG)
        lines = [http.client.HTTPConnection(graph.url.removeprefix("http://"), timeout=20) for _ in range(3)]
        lines[0].request("GET", "/v1.0/me")
        lines[1].connect()
        lines[2].request("GET", "/v1.0/me/messages")
        lines[2].getresponse().read()
        wait_for(lambda: len(graph.requests) == 2)
    assert (threading.active_count(), capfd.readouterr()) == (before, ("", ""))
    for line in lines:
        line.close()


def test_many_at_once_are_each_sent_once():
    with serving(Manners(concurrency=50)) as graph:
        client = anna(graph)
        with ThreadPoolExecutor(8) as pool:
            bodies = [{"message": message(subject=str(number))} for number in range(40)]
            answers = list(pool.map(lambda body: client.post("/sendMail", body).status, bodies))
        assert (answers, len(graph.sent(ANNA))) == ([202] * 40, 40)
