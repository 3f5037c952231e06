"""A Django site in this process: settings, a database in a file, its tables."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import pytest

from tests.plugins.django.databases import fresh

FOLDER = Path(tempfile.mkdtemp(prefix="pillarbox-django-"))


def configure_site() -> None:
    import django
    from django.conf import settings

    if settings.configured:
        return
    settings.configure(
        SECRET_KEY="only for tests",
        **(
            {"MAILERS": {"default": {"BACKEND": "pillarbox_django.EmailBackend"}}}
            if django.VERSION >= (6, 1)
            else {"EMAIL_BACKEND": "pillarbox_django.EmailBackend"}
        ),
        DEFAULT_FROM_EMAIL="webmaster@localhost",
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.admin",
            "pillarbox_django",
        ],
        DATABASES={"default": fresh(FOLDER)},
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "pillarbox_django.middleware.ActingUser",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        ROOT_URLCONF="tests.plugins.django.urls",
        ALLOWED_HOSTS=["testserver"],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        EMAIL_USE_LOCALTIME=False,
        USE_TZ=True,
    )
    django.setup()


configure_site()


@pytest.fixture(scope="session")
def tables():
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@pytest.fixture
def site(tables, tmp_path, settings_of):
    """A mailer with the memory transport and an outbox, and nothing staged."""
    from tests.plugins.django.company import company

    return company(tmp_path, settings_of)


@pytest.fixture
def settings_of():
    from django.db import connections
    from django.test.utils import override_settings

    from pillarbox_django.models import StagedMail

    opened = []

    def change(**more):
        one = override_settings(**more)
        one.enable()
        opened.append(one)

    yield change
    StagedMail.objects.all().delete()
    for one in reversed(opened):
        one.disable()
    connections.close_all()
    # A connection of Django's is its thread's to close. Those of threads that have ended go here, and not in the next test.
    gc.collect()
