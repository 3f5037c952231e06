"""Wrong in what others may hear."""

from __future__ import annotations

import base64

import attrs

from pillarbox import (
    Answer,
    AnswerState,
    Finding,
    Level,
    SignInNeeded,
)
from tests.contract.good import SECRET, Good, log, shout, whisper
from tests.contract.wrong.caught import caught_by


@caught_by("a_refused_credential_needs_a_sign_in", "no_secret_is_told_when_the_credential_is_refused")
class SecretInError(Good):
    def before(self, fault):
        if fault == "credential refused":
            raise SignInNeeded(f"the password {SECRET} is wrong", stage="sign-in")
        super().before(fault)


@caught_by("a_refused_credential_needs_a_sign_in", "no_secret_is_told_when_the_credential_is_refused")
class SecretInChain(Good):
    def before(self, fault):
        try:
            if fault == "credential refused":
                raise ValueError(f"AUTH PLAIN {SECRET}")
        except ValueError as error:
            raise SignInNeeded("wrong password", stage="sign-in") from error
        super().before(fault)


@caught_by("no_secret_is_told_when_the_credential_is_refused")
class SecretBehindTheError(Good):
    def before(self, fault):
        if fault == "credential refused":
            error = SignInNeeded("wrong password", stage="sign-in")
            error.request = {"password": SECRET}
            raise error
        super().before(fault)


@caught_by("no_secret_is_told_when_the_credential_is_refused")
class SecretInAFinding(Good):
    def check(self):
        if self.carrier.fault == "credential refused":
            yield Finding("sign-in", Level.FAIL, "good-refused", f"{SECRET} was refused")


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretTraced(Good):
    def send(self, submission, journal):
        if self.trace:
            self.trace(f"AUTH PLAIN {base64.b64encode(f'anna{chr(0)}{SECRET}'.encode()).decode()}")
        return super().send(submission, journal)


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretLogged(Good):
    def send(self, submission, journal):
        log(f"signing in with {SECRET!a}")
        return super().send(submission, journal)


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretNoted(Good):
    def send(self, submission, journal):
        journal.note("token", SECRET)
        return super().send(submission, journal)


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretInTheReceipt(Good):
    def receipt(self, submission, recipients, fault):
        made = super().receipt(submission, recipients, fault)
        answers = dict.fromkeys(recipients, Answer(AnswerState.ACCEPTED, f"thanks, {SECRET}"))
        return attrs.evolve(made, recipients=answers)


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretInItsRepr(Good):
    def __repr__(self):
        return f"Good({SECRET!r})"


@caught_by("nothing_is_printed")
class Shouts(Good):
    def before(self, fault):
        shout("connecting")
        super().before(fault)


@caught_by("nothing_is_printed")
class LetsItsProgramPrint(Good):
    def submit(self, submission, recipients, fault):
        whisper("250 ok")
        super().submit(submission, recipients, fault)
