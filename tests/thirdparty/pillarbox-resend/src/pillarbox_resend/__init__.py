"""Sends pillarbox's mail by Resend."""

from .events import ResendEvents
from .options import ResendOptions
from .settings import ResendSettings
from .transport import ResendTransport

__all__ = ["ResendEvents", "ResendOptions", "ResendSettings", "ResendTransport"]
