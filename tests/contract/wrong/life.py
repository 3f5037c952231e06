"""Wrong in what is declared, in a diagnosis, or at the end."""

from __future__ import annotations

import threading

from pillarbox import (
    Capabilities,
    Finding,
    Level,
    Limits,
    SendDeferred,
)
from tests.contract.good import Good
from tests.contract.wrong.caught import caught_by


@caught_by("what_core_must_know_is_declared")
class NoLabel(Good):
    label = ""


@caught_by("what_core_must_know_is_declared")
class SettlesBefore(Good):
    settling = -1.0


@caught_by("what_core_must_know_is_declared")
class PlatformAsText(Good):
    platforms = "win32"


@caught_by("limits_are_positive")
class NothingAtOnce(Good):
    @classmethod
    def limits(cls, settings):
        return Limits(concurrency=0)


@caught_by("limits_are_positive")
class NothingAMinute(Good):
    @classmethod
    def limits(cls, settings):
        return Limits(per_minute=0)


@caught_by("the_account_is_told_in_words")
class DescribesByText(Good):
    @classmethod
    def describe(cls, settings):
        return "a carrier"


@caught_by("the_settings_can_be_drawn_as_a_form")
class SettingsOfNoClass(Good):
    settings: dict


@caught_by("what_is_declared_needs_no_network_and_no_sdk")
class AsksTheNetworkForItsLimits(Good):
    @classmethod
    def limits(cls, settings):
        import socket

        socket.getaddrinfo("localhost", 25)
        return Limits()


@caught_by("what_is_declared_needs_no_network_and_no_sdk")
class LoadsAnSdkToDescribe(Good):
    @classmethod
    def capabilities(cls, connection):
        import http.client

        return Capabilities(find=bool(http.client))


@caught_by("closing_twice_is_no_error")
class ClosesOnce(Good):
    closed = False

    def close(self):
        if self.closed:
            raise ValueError("closed already")
        self.closed = True


@caught_by("it_can_be_used_after_it_was_closed")
class ClosesForEver(Good):
    closed = False

    def close(self):
        self.closed = True

    def send(self, submission, journal):
        if self.closed:
            raise SendDeferred("closed")
        return super().send(submission, journal)


@caught_by("closing_a_line_that_is_gone_is_no_error")
class WantsToSayGoodbye(Good):
    def close(self):
        if self.carrier.fault == "unreachable":
            raise BrokenPipeError("QUIT")


@caught_by("receipts_survive_pickle")
class ReceiptsThatStayHere(Good):
    def receipt(self, submission, recipients, fault):
        made = super().receipt(submission, recipients, fault)
        object.__setattr__(made, "recipients", {**made.recipients, "x": lambda: None} if not fault else {})
        return made


@caught_by("check_yields_findings_and_sends_nothing")
class CheckSends(Good):
    def check(self):
        self.carrier.take(b"test", "anna@acme.example", ("anna@acme.example",))
        yield from ()


@caught_by("check_tells_what_is_wrong")
class CheckRaises(Good):
    def check(self):
        self.before(self.carrier.fault)
        yield Finding("connect", Level.OK, "good-ready", "it is there")


@caught_by("check_tells_what_is_wrong")
class CheckSaysAllIsWell(Good):
    def check(self):
        yield Finding("connect", Level.OK, "good-ready", "it is there")


@caught_by("making_one_needs_no_carrier")
class ConnectsAtOnce(Good):
    @property
    def carrier(self):
        return self._carrier

    @carrier.setter
    def carrier(self, carrier):
        if carrier.fault == "unreachable":
            raise SendDeferred("unreachable", stage="connect")
        self._carrier = carrier


@caught_by("it_goes_from_thread_to_thread")
class StaysInItsThread(Good):
    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.thread = threading.get_ident()

    def before(self, fault):
        if threading.get_ident() != self.thread:
            raise SendDeferred("used in another thread", stage="before")
        super().before(fault)


@caught_by("check_says_the_same_again")
class ChecksOnce(Good):
    checked = False

    def check(self):
        if not self.checked:
            self.checked = True
            yield from super().check()


@caught_by("it_sends_after_a_check")
class IsSpentByACheck(Good):
    spent = False

    def check(self):
        self.spent = True
        yield from super().check()

    def before(self, fault):
        if self.spent:
            raise SendDeferred("the line is closed", stage="before")
        super().before(fault)


@caught_by("it_sends_after_a_check")
class HoldsALockWhileItIsChecked(Good):
    held = False

    def check(self):
        self.held = True
        for one in super().check():
            yield one
            self.held = False

    def before(self, fault):
        if self.held:
            raise SendDeferred("it is being checked", stage="before")
        super().before(fault)
