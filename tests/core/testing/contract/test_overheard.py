"""What is logged and printed is heard, by whatever way, and all is as before afterwards."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from pillarbox.testing._contract._overheard import listening, reading


def test_every_logger_and_level_is_heard():
    """With its arguments and its extra fields, and an error's traceback."""
    with listening() as lines:
        logging.getLogger("a.plugin").debug("signed in as %s", "anna", extra={"token": "t-1"})
        try:
            raise ValueError("behind it")
        except ValueError:
            logging.getLogger().exception("failed")
    told = "\n".join(lines)
    assert all(word in told for word in ("signed in as anna", "t-1", "failed", "behind it"))


def test_the_log_is_left_as_it_was():
    """Level and handlers."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with pytest.raises(KeyError), listening():
        raise KeyError
    assert (root.level, list(root.handlers)) == before


@pytest.mark.parametrize(
    "say",
    [
        lambda: print("heard"),
        lambda: print("heard", file=sys.stderr),
        lambda: os.write(1, b"heard"),
        lambda: os.write(2, b"heard"),
        lambda: subprocess.run([sys.executable, "-c", "print('heard')"], check=True),
    ],
    ids=["print", "standard error", "descriptor 1", "descriptor 2", "another program"],
)
def test_whatever_is_printed_is_read(say):
    """By this process or one that it starts."""
    with reading() as printed:
        assert not printed()
        say()
        assert printed().strip() == "heard"


def test_standard_output_is_given_back(capfd):
    """What is printed afterwards goes where it went before."""
    with reading():
        print("not seen")
    print("seen")
    os.write(1, b"seen too\n")
    assert sorted(capfd.readouterr().out.split("\n")) == ["", "seen", "seen too"]
