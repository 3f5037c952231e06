"""Runs Django's own tests of e-mail backends against ours, and prints as JSON which passed and which did not.

Called as `python own_suite.py FOLDER`, FOLDER holding Django's `tests/mail` under its name `mail`.
"""

from __future__ import annotations

import io
import json
import sys
import unittest
from email import message_from_bytes, policy

SHOWN = "from@example.com"
"""Whom nearly all of them write as: the address that the company has here."""


def main(folder: str, root: str) -> None:
    sys.path[:0] = [folder, root]
    import django
    from django.conf import settings

    settings.configure(
        EMAIL_BACKEND="pillarbox_django.EmailBackend",
        PILLARBOX={"mailer": "tests.plugins.django.company.current"},
        INSTALLED_APPS=["pillarbox_django"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        SECRET_KEY="only for tests",
    )
    django.setup()
    from django.test import SimpleTestCase
    from mail.tests import BaseEmailBackendTests

    from pillarbox import Company, Mailer, MemoryDirectory, Plugins
    from pillarbox.testing import Box, MemoryTransport
    from tests.plugins.django.company import NOW

    box = Box.named("django")
    company = Company(address=SHOWN, method="memory", methods={"memory": {"box": "django"}})
    NOW["mailer"] = Mailer(MemoryDirectory(company, plugins=Plugins(extra={"memory": MemoryTransport})))

    class PillarboxBackendTests(BaseEmailBackendTests, SimpleTestCase):
        email_backend = "pillarbox_django.EmailBackend"

        def setUp(self) -> None:
            super().setUp()
            self.flush_mailbox()

        def flush_mailbox(self) -> None:
            box.clear()

        def get_mailbox_content(self):
            wire = [b"".join(one.submission.chunks) for one in box.sent]
            # As a mailbox keeps it: with this system's ends of lines, and none behind the last.
            return [
                message_from_bytes(one.replace(b"\r\n", b"\n").removesuffix(b"\n"), policy=policy.default)
                for one in wire
            ]

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(PillarboxBackendTests)
    said = io.StringIO()
    done = unittest.TextTestRunner(said).run(suite)
    failed = {
        one.id().rpartition(".")[2]: text.strip().splitlines()[-1]
        for one, text in done.failures + done.errors
    }
    names = [
        one.id().rpartition(".")[2]
        for one in unittest.defaultTestLoader.loadTestsFromTestCase(PillarboxBackendTests)
    ]
    print(json.dumps({"run": names, "failed": failed}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
