"""What Resend has published of its requests (resend-openapi 1.5.0, `SendEmailRequest`), as a schema to hold them against."""

from typing import Any

_ADDRESSES = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_TEXT = {"type": "string"}
SEND: dict[str, Any] = {
    "type": "object",
    "required": ["from", "to", "subject"],
    "additionalProperties": False,
    "properties": {
        "from": _TEXT,
        "to": {"oneOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 50}]},
        "subject": _TEXT,
        "cc": _ADDRESSES,
        "bcc": _ADDRESSES,
        "reply_to": _ADDRESSES,
        "html": _TEXT,
        "text": _TEXT,
        "headers": {"type": "object", "additionalProperties": _TEXT},
        "scheduled_at": _TEXT,
        "attachments": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": dict.fromkeys(
                    ("content", "filename", "path", "content_type", "content_id"), _TEXT
                ),
            },
        },
        "tags": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    key: {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,256}$"} for key in ("name", "value")
                },
            },
        },
        "topic_id": _TEXT,
    },
}
