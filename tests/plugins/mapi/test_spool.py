"""The folder through which files reach the worker: private, and gone whatever happens."""

from __future__ import annotations

import pytest

from pillarbox import Account, Attachment, Message, Route, compose
from pillarbox_mapi.letter import Letter
from pillarbox_mapi.spool import LONGEST_NAME, Spool, disk_name
from tests import access, systems

ROUTE = Route(account=Account(owner="company", method="mapi"), from_address=None)


def letter(*names):
    files = [Attachment(name, b"\x00\xff" * 9, content_type="application/octet-stream") for name in names]
    message = Message(
        to="ap@customer.example", subject="Invoice", text="t", html="<p>t</p>", attachments=files
    )
    return Letter.of(compose(message, ROUTE), lossy=False)


@pytest.fixture
def spool():
    made = Spool()
    yield made
    made.remove()


def test_bodies_and_files_are_there_while_the_block_lasts(spool):
    """With their octets, under names that the disk takes; two of one name do not meet."""
    with spool.holding(letter("a.pdf", "a.pdf", "con.txt")) as written:
        paths = [spool.root / file["path"] for file in written["files"]]
        assert [path.read_bytes() for path in paths] == [b"\x00\xff" * 9] * 3
        assert [file["name"] for file in written["files"]] == ["a.pdf", "a.pdf", "con.txt"]
        assert (spool.root / written["html"]).read_bytes().strip() == b"<p>t</p>"
    assert list(spool.root.iterdir()) == []


def test_nothing_stays_behind_an_error(spool):
    """Nor behind Ctrl-C."""
    with pytest.raises(KeyboardInterrupt), spool.holding(letter("a.pdf")):
        raise KeyboardInterrupt
    assert list(spool.root.iterdir()) == []


@pytest.mark.skipif(
    systems.WINDOWS, reason="Windows has no mode bits; its temporary folder is the user's own"
)
def test_nobody_else_can_look_into_it(spool):
    """An invoice is nobody's business."""
    assert access.mode(spool.root) == 0o700


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("invoice.pdf", "invoice.pdf"),
        ("a/b\\c:d*e?.pdf", "a_b_c_d_e_.pdf"),
        ("CON.pdf", "_CON.pdf"),
        ("lpt1", "_lpt1"),
        ("trailing. ", "trailing"),
        ("..", "file"),
        ("", "file"),
        ("Größe €.pdf", "Größe €.pdf"),
        ("new\nline.txt", "new_line.txt"),
    ],
)
def test_a_name_is_one_that_windows_takes(name, safe):
    """Devices, separators, what can't be seen."""
    assert disk_name(name) == safe


def test_a_long_name_keeps_its_end():
    """By which people and programs know what it is."""
    short = disk_name("x" * 300 + ".pdf")
    assert len(short) <= LONGEST_NAME
    assert short.endswith(".pdf")
