"""The transport keeps pillarbox's contract."""

from pillarbox_resend.contract import ResendContract


class TestResend(ResendContract):
    """Each case is a test; what the fake can't stage is skipped, with the reason."""

    __test__ = True
