"""The transport keeps pillarbox's contract, and asks of Resend only what that has published."""

import jsonschema
from pillarbox_resend.contract import ResendContract
from pillarbox_resend.schema import SEND


class TestResend(ResendContract):
    """Each case is a test; what the fake can't stage is skipped, with the reason."""

    __test__ = True

    def teardown_method(self) -> None:
        """Hold every request of the case against the schema."""
        super().teardown_method()
        for request in self.api.requests:
            jsonschema.validate(request, SEND)
