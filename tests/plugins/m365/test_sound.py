"""What is an answer of Entra's, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from pillarbox_m365.sound import is_sound

TOKEN = {"access_token": "t", "expires_in": 3599, "scope": "Mail.Send", "token_type": "Bearer"}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, TOKEN),
        (200, {**TOKEN, "expires_in": "3599", "refresh_token": "r", "client_info": "c"}),
        (200, {"device_code": "d", "user_code": "u", "expires_in": 900, "interval": 5}),
        (400, {"error": "invalid_grant", "error_codes": [70008]}),
    ],
)
def test_an_answer(status: int, said: dict[str, Any]) -> None:
    """A token, a code, or why there is none."""
    assert is_sound(status, said)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, {}),
        (200, {"error": "invalid_grant"}),
        (403, {}),
        (400, {"error": 5}),
        (400, {"error": None}),
        (400, TOKEN),
        *(
            (200, {**TOKEN, "expires_in": odd})
            for odd in ("soon", [1], float("inf"), float("nan"), True, None)
        ),
        *((200, {**TOKEN, name: 5}) for name in ("access_token", "refresh_token", "id_token", "scope")),
    ],
)
def test_no_answer(status: int, said: dict[str, Any]) -> None:
    """What a proxy says in the place of Entra gives no sign-in up, and is not read by MSAL."""
    assert not is_sound(status, said)
