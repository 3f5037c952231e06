"""The backend: Django's mail goes by the account of whoever writes, at once or through the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

from pillarbox import OutcomeUnknown, PillarboxError, SettingsError, compose

from .conf import get_mailer, option
from .converting import composed, is_of_the_site, message_of, recipients, refuse_foreign_from, writer_of
from .writing import acting_user

UNSAID = object()


class EmailBackend(BaseEmailBackend):  # type: ignore[misc]
    """Sends by pillarbox: `EMAIL_BACKEND = "pillarbox_django.EmailBackend"`.

    Args:
        fail_silently: Whether what was not sent raises nothing. An outcome that nobody knows is always raised: whoever
            does not hear of it sends the mail again.
        user: Who writes; by default what the mail's header `X-Pillarbox-User` says, else the acting user.
        company: Which, where the directory knows several.
        queue: Whether mail is kept with the host's transaction and leaves with the worker; `PILLARBOX["queue"]` by default.
        alias: Its name in Django's `MAILERS`, where Django has that setting (6.1).
        username, password: Refused where they are given: the account's settings hold them.
        options: Whatever else Django gives a backend; what it thinks of it is Django's to say.
    """

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        user: str | object | None = UNSAID,
        company: str | None = None,
        queue: bool | None = None,
        alias: str | None = None,
        username: str | None = None,
        password: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(alias=alias, **options)
        self.fail_silently = fail_silently  # from Django 6.1 on it is the backend's own
        if username or password:
            raise SettingsError(
                "auth_user and auth_password can't be given: pillarbox chooses the account.",
                cure="Name who writes.",
            )
        self._user, self._company = user, company
        self._queue = option("queue") if queue is None else queue

    def send_messages(self, email_messages: Iterable[Any]) -> int:
        """Send or keep each, and return how many were.

        Raises:
            PillarboxError: The first that could not be; those before it are sent.
        """
        done = 0
        for mail in email_messages:
            if not mail.recipients():
                continue
            try:
                self._one(mail)
                done += 1
            except OutcomeUnknown:
                raise
            except PillarboxError:
                if not self.fail_silently:
                    raise
        return done

    def _one(self, mail: Any) -> None:
        mailer, user = get_mailer(), self._writer(mail)
        made, whom = composed(mail), recipients(mail)
        message = message_of(made, whom)
        route = mailer.explain(user, company=self._company)
        refuse_foreign_from(mail, route)
        if self._queue:
            from .staging import stage

            _ = compose(message, route)  # what can't be sent is refused here, where somebody sees it
            stage(made.as_bytes(), whom, user, self._company, subject=message.subject)
        else:
            mailer.send(message, user=user, company=self._company)

    def _writer(self, mail: Any) -> str | None:
        named = writer_of(mail)
        if named is not None:
            return named
        if is_of_the_site(mail):
            return None
        return acting_user() if self._user is UNSAID else self._user  # type: ignore[return-value]
