"""What Gmail allows one mailbox."""

from __future__ import annotations

LARGEST = 36_700_160
"""Octets of a message with its Bcc header: 35 MiB, as Google's discovery document has it."""
MOST_RECIPIENTS = 100
"""Of one message that does not come from Gmail's own pages."""
PER_MINUTE = 120
"""Two a second (rule 28); Google allows 150 a minute."""
PER_DAY = 2_000
"""Messages of a Workspace mailbox; others send fewer, and Google says when that is reached."""
